"""Predictions of past eras: handed in, scored by the same functions as rounds, whatever happens to the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from contests import IDS, OPEN, caller, play_first, serving, target, upload, weekly, world
from pastime import handed_in, publish, put

from crowdalpha.cli import main
from crowdalpha.scoring.contribution import bmc, mmc2
from crowdalpha.scoring.correlation import corr, fnc
from crowdalpha.scoring.eras import corr_mmc_sharpe, summarize
from crowdalpha.scoring.exposure import exposure_metrics
from crowdalpha.scoring.problems import InputError
from crowdalpha.scoring.ranks import uniform
from crowdalpha.server import diagnostics
from crowdalpha.server.catalogue import Refusal
from crowdalpha.server.service import Service
from crowdalpha.server.validation import Validation
from crowdalpha.tournament.records import Score

ERAS = ("0009", "0010", "0011")
N = 30


def validation() -> pa.Table:
    """Three eras of 30 ids each, in no order, with two features, a metamodel and an example."""
    rng = np.random.default_rng(5)
    n = N * len(ERAS)
    table = pa.table(
        {
            "era": [era for era in ERAS for _ in range(N)],
            "id": [f"{era}-{k}" for era in ERAS for k in range(N)],
            "target": rng.integers(0, 5, n) / 4,
            "target_other": rng.random(n),
            "metamodel": rng.random(n),
            "benchmark": rng.random(n),
            "size": rng.random(n).astype("f4"),
            "age": rng.integers(0, 5, n).astype("i1"),
            "sector": ["tools"] * n,
        }
    )
    return table.take(rng.permutation(n))


def predictions(eras: tuple[str, ...] = ERAS, seed: int = 3) -> dict[str, float]:
    drawn = np.random.default_rng(seed).random(N * len(ERAS)).tolist()
    values = dict(zip([f"{era}-{k}" for era in ERAS for k in range(N)], drawn, strict=True))
    return {id: value for id, value in values.items() if id[:4] in eras}


def as_csv(values: dict[str, float]) -> bytes:
    return ("id,prediction\n" + "".join(f"{id},{value!r}\n" for id, value in values.items())).encode()


def done(service: Service, content: bytes) -> dict[str, Any]:
    """What is found in a file of ada's."""
    one = handed_in(service, "ada", content)
    assert service.diagnostics.work() == [one.id]
    after = service.diagnostics.one(caller("ada"), one.id)
    assert (after.status, after.message) == ("done", "")
    return json.loads(after.content)  # type: ignore[no-any-return]


def error(service: Service, content: bytes) -> str:
    """Why a file of ada's is refused."""
    one = handed_in(service, "ada", content)
    service.diagnostics.work()
    after = service.diagnostics.one(caller("ada"), one.id)
    assert after.status == "error"
    return after.message


def test_the_figures_are_those_of_the_scoring_library(service: Service) -> None:
    table = validation()
    publish(service, table)
    sent = predictions()
    found = done(service, as_csv(sent))
    assert found["eras"] == list(ERAS)
    series: dict[str, list[float]] = {"corr": [], "mmc2": [], "fnc": [], "bmc": [], "exposure_max": []}
    for era in ERAS:
        rows = table.filter(pa.array([label == era for label in table["era"].to_pylist()]))
        column = {name: rows[name].to_numpy().astype(float) for name in ("target", "metamodel", "benchmark")}
        p, t = np.array([sent[id] for id in rows["id"].to_pylist()]), column["target"]
        features = np.column_stack([rows["size"].to_numpy(), rows["age"].to_numpy()]).astype(float)
        series["corr"].append(float(corr(p, t)))
        series["mmc2"].append(float(mmc2(np.column_stack([p, column["metamodel"]]), np.array([0, 1]), t)[0]))
        series["fnc"].append(float(fnc(p, features, t)))
        series["bmc"].append(float(bmc(p, column["benchmark"][:, None], t)))
        series["exposure_max"].append(float(exposure_metrics(uniform(p), features).max))
    for name, values in series.items():
        assert found["scores"][name] == pytest.approx(values, rel=0, abs=1e-14), name
        figures = summarize(found["scores"][name])
        for figure in ("mean", "std", "sharpe", "max_drawdown", "apy"):
            assert found["figures"][name][figure] == getattr(figures, figure), (name, figure)
    both = corr_mmc_sharpe(found["scores"]["corr"], found["scores"]["mmc2"])
    assert found["both"] == {"sharpe": both.sharpe, "difference": both.difference}
    assert [figure["name"] for figure in found["diagnosis"]["statistics"]][:2] == ["CORR", "MMC2"]
    assert found["diagnosis"]["exposures"]["names"] == ["size", "age"]


def test_without_a_file_of_the_operators_past_eras_are_the_resolved_rounds(tmp_path: Path) -> None:
    with world(tmp_path / "cup") as (engine, settings):
        service = serving(engine, settings)
        with pytest.raises(Refusal, match="There are no past eras yet"):
            service.diagnostics.slot(caller("ada"), "past.csv", "http://x")
        play_first(engine)
        found = done(service, upload(0))
        with engine.store.reading() as work:
            [score] = work.find(Score, model="ada-1", metric="corr", final=True)
    assert found["eras"] == ["1"]
    assert found["scores"]["corr"] == [score.value]
    assert found["scores"]["mmc2"][0] != 0
    assert found["scores"].keys() == {"corr", "mmc2", "numerai_corr"}


def test_rounds_of_the_same_ids_are_told_apart_by_a_column(tmp_path: Path) -> None:
    with world(tmp_path / "cup") as (engine, settings):
        play_first(engine)
        for day in (None, 1, 2, 3):
            engine.set_target(2, day, target(2))
        engine.submit("second", "ada-1", upload(0), weekly(2).open_time + timedelta(hours=1))
        engine.tick(weekly(2).resolve_time)
        service = serving(engine, settings, weekly(2).resolve_time)
        assert error(service, upload(0)) == "invalid_submission_headers: submission must contain a date column"
        rows = upload(0).decode().splitlines()[1:]
        sent = "era,id,prediction\n" + "".join(f"{n},{row}\n" for n in (2, 1) for row in rows)
        found = done(service, sent.encode())
    assert found["eras"] == ["1", "2"]
    wanted = [float(corr(np.array([float(row.split(",")[1]) for row in rows]), np.array([target(n)[id] for id in IDS])))
              for n in (1, 2)]  # fmt: skip
    assert found["scores"]["corr"] == pytest.approx(wanted, abs=1e-15)


def test_what_is_wrong_with_a_file_is_said_in_words_that_are_known(service: Service) -> None:
    publish(service, validation())
    whole = predictions()
    cut = {id: value for id, value in whole.items() if id not in ("0010-3", "0011-0")}
    assert error(service, as_csv(cut)) == "invalid_submission_eras: Incomplete eras uploaded: ['0010', '0011']"
    assert done(service, as_csv(predictions(("0009", "0011"))))["eras"] == ["0009", "0011"]
    assert "must be between 0 and 1" in error(service, as_csv(whole | {"0010-3": 1.5}))
    assert "submission must not contain NaNs" in error(service, as_csv(whole | {"0010-3": float("nan")}))
    assert error(service, b"id,prediction\nnobody,0.5\n").startswith("invalid_submission_eras")
    one = handed_in(service, "ada", as_csv(cut))
    service.diagnostics.work()
    kept = json.loads(service.diagnostics.one(caller("ada"), one.id).content)
    assert kept["errors"][0]["code"] == "invalid_submission_eras"


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + b"\0" * 99, b"PAR1" + b"\xff" * 99 + b"PAR1", b"\x1f\x8b\0", b"a\0"]
)
def test_a_hostile_file_is_an_error_of_its_own_and_nobody_elses(service: Service, content: bytes) -> None:
    publish(service, validation())
    bad, good = handed_in(service, "ada", content), handed_in(service, "bob", as_csv(predictions()))
    assert set(service.diagnostics.work()) == {bad.id, good.id}
    assert service.diagnostics.one(caller("ada"), bad.id).message.startswith("invalid_submission_")
    assert service.diagnostics.one(caller("bob"), good.id).status == "done"


def test_what_is_anothers_is_neither_seen_nor_taken_nor_deleted(service: Service) -> None:
    publish(service, validation())
    ada, bob = caller("ada"), caller("bob")
    mine = handed_in(service, "ada", as_csv(predictions()))
    asked: list[Callable[[], Any]] = [
        lambda: service.diagnostics.one(bob, mine.id),
        lambda: service.diagnostics.delete(bob, mine.id),
        lambda: service.diagnostics.one(bob, "none"),
        lambda: service.diagnostics.hand_in(bob, mine.filename, "bob-1"),
    ]
    for ask in asked:
        with pytest.raises(Refusal) as told:
            ask()
        assert told.value.code in ("unknown", "not_uploaded")
    for ask in (
        lambda: service.diagnostics.of_model(bob, "ada-1"),
        lambda: service.diagnostics.slot(bob, "a.csv", "http://x", "ada-1"),
        lambda: service.diagnostics.hand_in(bob, mine.filename, "ada-1"),
    ):
        with pytest.raises(Refusal) as told:
            ask()
        assert told.value.code == "not_yours"
    for scope, ask in (
        ("read_submission_info", lambda who: service.diagnostics.one(who, mine.id)),
        ("read_submission_info", lambda who: service.diagnostics.of_model(who, "ada-1")),
        ("upload_submission", lambda who: service.diagnostics.delete(who, mine.id)),
        ("upload_submission", lambda who: service.diagnostics.hand_in(who, mine.filename, "ada-1")),
    ):
        with pytest.raises(Refusal, match=f"Insufficient permission for {scope}"):
            ask(replace(ada, scopes=ada.scopes - {scope}))
    assert service.diagnostics.one(ada, mine.id) == mine


def test_handed_in_again_is_handed_in_once_and_few_may_wait(service: Service) -> None:
    publish(service, validation())
    first = handed_in(service, "ada", b"1")
    assert service.diagnostics.hand_in(caller("ada"), first.filename, "ada-1") == first
    with pytest.raises(Refusal, match="nothing was uploaded as never"):
        service.diagnostics.hand_in(caller("ada"), "never.csv", "ada-1")
    handed_in(service, "ada", b"2")
    handed_in(service, "ada", b"3")
    name = put(service, "ada", b"4")
    with pytest.raises(Refusal) as told:
        service.diagnostics.hand_in(caller("ada"), name, "ada-1")
    assert (told.value.code, told.value.status) == ("too_many_waiting", 429)
    assert len(service.diagnostics.work()) == 3
    service.diagnostics.hand_in(caller("ada"), name, "ada-1")


def test_what_is_deleted_is_gone_with_its_file(service: Service) -> None:
    publish(service, validation())
    one = handed_in(service, "ada", as_csv(predictions()))
    service.diagnostics.delete(caller("ada"), one.id)
    assert service.diagnostics.work() == []
    assert service.diagnostics.of_model(caller("ada"), "ada-1") == []
    assert list((service.settings.folder / "uploads-past").rglob("*.csv")) == []
    with pytest.raises(Refusal, match="is not known"):
        service.diagnostics.one(caller("ada"), one.id)


KILLED = """
import os, signal, sys
from crowdalpha.server import diagnostics
from crowdalpha.server.service import Service
from crowdalpha.settings import open_engine, read

diagnostics.findings = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
settings = read(sys.argv[1], {})
with open_engine(settings) as engine:
    Service(engine, settings).diagnostics.work()
"""


def test_a_server_that_is_killed_at_work_loses_nothing_and_the_next_one_begins_anew(service: Service) -> None:
    publish(service, validation())
    one = handed_in(service, "ada", as_csv(predictions()))
    killed = subprocess.run([sys.executable, "-c", KILLED, service.settings.folder], env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert service.diagnostics.one(caller("ada"), one.id).status == "running"
    assert service.diagnostics.work() == [one.id]
    assert service.diagnostics.one(caller("ada"), one.id).status == "done"


def test_what_ends_its_server_every_time_is_given_up(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(service, validation())
    one = handed_in(service, "ada", as_csv(predictions()))
    monkeypatch.setattr(diagnostics, "findings", _fails)
    for _ in range(diagnostics.TRIES):
        with pytest.raises(MemoryError):
            service.diagnostics.work()
    service.diagnostics.work()
    after = service.diagnostics.one(caller("ada"), one.id)
    assert (after.status, after.content) == ("error", "")
    assert after.message.startswith("Something went wrong here.")


def _fails(*_: Any) -> None:
    raise MemoryError


def test_two_servers_never_work_on_one_file_at_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(service, validation())
    one = handed_in(service, "ada", as_csv(predictions()))
    other = Service(service.engine, service.settings, service.office.clock)
    seen: list[list[str]] = []
    real = diagnostics.findings
    monkeypatch.setattr(diagnostics, "findings", lambda *a: (seen.append(other.diagnostics.work()), real(*a))[1])
    assert service.diagnostics.work() == [one.id]
    assert seen == [[]]


def test_a_file_that_nobody_has_is_given_up_after_a_day(service: Service) -> None:
    publish(service, validation())
    one = handed_in(service, "ada", as_csv(predictions()))
    next((service.settings.folder / "uploads-past").rglob("*.csv")).unlink()
    assert service.diagnostics.work() == []
    assert service.diagnostics.one(caller("ada"), one.id).status == "pending"
    service.diagnostics.work(lambda: OPEN + timedelta(days=2))
    assert service.diagnostics.one(caller("ada"), one.id).message.startswith("invalid_submission_file: nothing was")


def test_rows_that_have_not_come_true_are_left_out(service: Service) -> None:
    table = validation()
    late = pa.array([None if era == "0011" else 1.0 for era in table["era"].to_pylist()])
    targets = pc.multiply(table["target"], late)
    publish(service, table.set_column(table.column_names.index("target"), "target", targets))
    assert done(service, as_csv(predictions()))["eras"] == ["0009", "0010"]


def test_a_csv_and_a_parquet_file_of_past_eras_say_the_same(service: Service, tmp_path: Path) -> None:
    from pyarrow import csv

    path = publish(service, validation())
    whole = Validation.read(path)
    csv.write_csv(validation(), tmp_path / "validation.csv")
    other = Validation.read(tmp_path / "validation.csv")
    assert whole.universe == other.universe
    for era in ERAS:
        np.testing.assert_array_equal(whole.target(era), other.target(era))
        np.testing.assert_allclose(whole.features(era), other.features(era), rtol=1e-6)


def test_a_file_of_past_eras_is_refused_with_all_that_is_wrong_with_it(tmp_path: Path) -> None:
    def refused(table: pa.Table) -> list[str]:
        pq.write_table(table, tmp_path / "v.parquet")
        with pytest.raises(InputError) as told:
            Validation.read(tmp_path / "v.parquet")
        return [problem.code for problem in told.value.problems]

    assert refused(pa.table({"id": ["a"]})) == ["missing_columns", "missing_columns"]
    assert refused(pa.table({"era": ["1"], "id": ["a"], "target": ["high"]})) == ["not_numeric"]
    twice = {"era": ["1", "1", None], "id": ["a", "a", None], "target": [0.0, 1.0, 1.0]}
    assert refused(pa.table(twice)) == ["null_era", "null_id", "duplicate_ids"]
    assert refused(pa.table({"era": ["1"], "id": ["a"], "target": [float("inf")]})) == ["inf_in_target"]
    assert refused(pa.table({"era": ["1"], "id": ["a"], "target": [float("nan")]})) == ["no_target"]
    (tmp_path / "v.parquet").write_bytes(b"nothing")
    with pytest.raises(InputError) as told:
        Validation.read(tmp_path / "v.parquet")
    assert told.value.code == "unreadable"


def test_the_operator_publishes_past_eras_by_a_command(service: Service, tmp_path: Path) -> None:
    from pyarrow import csv

    def published(path: Path) -> Any:
        words = ["admin", "validation", str(path), "--tournament", str(service.settings.folder), "--json"]
        return CliRunner().invoke(main, words)

    pq.write_table(validation(), tmp_path / "mine.parquet")
    csv.write_csv(validation(), tmp_path / "mine.csv")
    done_so = published(tmp_path / "mine.parquet")
    used = ["target", "metamodel", "benchmark", "size", "age"]
    assert json.loads(done_so.stdout) == {"eras": 3, "ids": 90, "columns": used}
    published(tmp_path / "mine.csv")
    assert service.datasets.names(caller("ada"))[-1] == "validation.csv"
    assert done(service, as_csv(predictions()))["eras"] == list(ERAS)
    (tmp_path / "bad.csv").write_text("era,id\n1,a\n")
    refused = published(tmp_path / "bad.csv")
    assert (refused.exit_code, "missing_columns" in refused.output) == (3, True)
    assert service.datasets.names(caller("ada"))[-1] == "validation.csv"
