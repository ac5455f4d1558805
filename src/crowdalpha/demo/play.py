"""The demo: the shipped crowds scored and played as tournaments, their reports written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from crowdalpha.demo.crowd import Crowd
from crowdalpha.demo.equities import PLAYED, equities
from crowdalpha.demo.flusight import flusight
from crowdalpha.demo.rounds import MOST, Tournament, play_rounds
from crowdalpha.diagnostics.checkup import diagnose
from crowdalpha.diagnostics.data import Run
from crowdalpha.diagnostics.report import crowd_report as draw_crowd
from crowdalpha.diagnostics.report import diagnosis_report as draw_diagnosis
from crowdalpha.diagnostics.survey import Survey, crowd_report, survey
from crowdalpha.tables.crowd import Crowd as Aligned
from crowdalpha.tables.frames import eras

BAGS = 20
SEED = 0
SUBJECT = "boosting"
"""The model that the demo looks at from every side."""

Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Played:
    """A crowd, what it did, the tournament that was played of it, and the pages that show both."""

    crowd: Crowd
    survey: Survey
    tournament: Tournament
    pages: tuple[Path, ...]


def play(folder: Path, told: Told, *, weeks: int = PLAYED, rounds: int = MOST) -> Iterator[Played]:
    """Score the FluSight crowd and the equities tournament, play both as rounds, and write the pages of all this.

    A page shows a crowd, another its season, and one a single model; the rounds are kept beside them. `told` is called
    with what is being done, how much of it is done, and how much there is. `weeks` of equities are scored, the last
    ones, and the last `rounds` of a crowd, or all if there are no more, are played.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for load in (load_flusight, partial(load_equities, weeks=weeks)):
        crowd = load(told)
        aligned = eras(crowd.predictions, crowd.targets, coins(crowd), bags=BAGS, seed=SEED)
        seen = _survey(crowd, aligned, told)
        page = folder / f"{crowd.name.split()[0].lower()}.html"
        report = crowd_report(
            seen,
            _run(crowd, len(seen.eras), _ids(seen)),
            title=crowd.name,
            stake_unit="simulated coins",
            descriptions=crowd.descriptions,
            caveats=crowd.caveats,
        )
        page.write_text(draw_crowd(report), encoding="utf-8")
        pages = [page]
        if crowd.features is not None:
            pages.append(folder / f"{SUBJECT}.html")
            _diagnose(crowd, pages[-1], told)
        tournament = play_rounds(crowd, aligned, coins(crowd), folder, told, rounds=rounds)
        yield Played(crowd, seen, tournament, (*pages, tournament.page))


def write_files(folder: Path, told: Told) -> list[Path]:
    """The demo's crowds as files, to try the commands on: a folder each with predictions, targets and stakes.

    NOTICE.txt says what a reader must know, a caveat a line, and ATTRIBUTION.txt whom to credit; the commands put
    both on their pages.
    """
    from crowdalpha.tables.files import write_table

    written = []
    for load in (load_flusight, load_equities):
        crowd = load(told)
        place = folder / crowd.name.split()[0].lower()
        place.mkdir(parents=True, exist_ok=True)
        tables = {
            "predictions.parquet": crowd.predictions,
            "targets.parquet": crowd.targets,
            "stakes.csv": coins(crowd),
            "features.parquet": crowd.features,
        }
        for name, table in tables.items():
            if table is not None:
                write_table(table, place / name)
                written.append(place / name)
        (place / "ATTRIBUTION.txt").write_text(f"{crowd.attribution}\n", "utf-8")
        (place / "NOTICE.txt").write_text("\n".join(crowd.caveats) + "\n", "utf-8")
        written += [place / "ATTRIBUTION.txt", place / "NOTICE.txt"]
    return written


def coins(crowd: Crowd):  # type: ignore[no-untyped-def]
    """The simulated stakes in coins, a hundred cents each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stake = pc.divide(crowd.stakes["stake"].cast(pa.float64()), 100.0)
    return pa.table({"model": crowd.stakes["model"], "stake": stake})


def load_flusight(told: Told) -> Crowd:
    """The FluSight crowd."""
    told("Reading FluSight", 0, 1)
    return flusight()


def load_equities(told: Told, *, weeks: int = PLAYED) -> Crowd:
    """The baselines on stocks, trained week by week; their last `weeks`."""

    def heard(share: float, what: str) -> None:
        told(f"Training the baselines: {what}", round(100 * share), 100)

    return equities(heard, eras=weeks)


def _survey(crowd: Crowd, aligned: Aligned, told: Told) -> Survey:
    done = iter(range(1, len(aligned) + 1))
    return survey(aligned, progress=lambda era: told(f"Scoring {crowd.name}", next(done), len(aligned)))


def _diagnose(crowd: Crowd, page: Path, told: Told) -> None:
    mine = crowd.predictions.select(["era", "id", SUBJECT])
    others = crowd.predictions.select(["era", "id", "metamodel_copy"])
    aligned = eras(mine, crowd.targets, features=crowd.features, metamodel=others, bags=0)
    done = iter(range(1, len(aligned) + 1))
    diagnosis = diagnose(
        aligned,
        SUBJECT,
        partial(_run_of_one, crowd),
        features=aligned.names["features"],
        caveats=crowd.caveats,
        progress=lambda era: told(f"Diagnosing {SUBJECT}", next(done), len(aligned)),
    )
    page.write_text(draw_diagnosis(diagnosis), encoding="utf-8")


def _run_of_one(crowd: Crowd, n_eras: int) -> Run:
    return Run(n_eras, 1, "1,000 a week", 0, "none", version("crowdalpha"), credits=crowd.attribution)


def _run(crowd: Crowd, n_eras: int, ids: str) -> Run:
    return Run(n_eras, len(crowd.models), ids, BAGS, str(SEED), version("crowdalpha"), credits=crowd.attribution)


def _ids(seen: Survey) -> str:
    low, high = min(seen.n_ids), max(seen.n_ids)
    return f"{low:,} an era" if low == high else f"{low:,} to {high:,} an era"
