"""What every verb of the engine works with: the stores, the secret, the rules; and how to find things in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tournament import seeds
from crowdalpha.tournament.evidence import ids_of
from crowdalpha.tournament.ports import PredictionStore, Reading, TournamentStore
from crowdalpha.tournament.records import Progress
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.submissions import SubmissionRules, Verdict

Judge = Callable[[bytes, Sequence[str], SubmissionRules], Verdict]
Record = TypeVar("Record")
LONGEST_ID = 200
REMEMBERED = 8
"""Universes that are kept in memory: as many rounds may be taking submissions at once, or nearly."""
RUNNING = (Stage.SCHEDULED, Stage.OPEN, Stage.CLOSED, Stage.SCORING)


@dataclass(frozen=True)
class Desk:
    """A store of records, a store of files, who judges uploads by which rules, and what secrets are derived from.

    `policies` are payout policies of one's own, by the name that rounds give as their rule. `packs` is a folder of this
    machine for the ranks of large rounds; without it they are made whenever they are needed.
    """

    store: TournamentStore
    files: PredictionStore
    judge: Judge
    master: bytes = field(repr=False)
    rules: SubmissionRules
    policies: Mapping[str, Policy]
    packs: Path | None = None
    _rounds: dict[int, Round] = field(default_factory=dict, repr=False)
    _universes: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def round(self, number: int, work: Reading | None = None) -> Round:
        """A round by its number. It never changes once it is announced, so it is looked up once."""
        if number not in self._rounds:
            with nullcontext(work) if work is not None else self.store.reading() as reading:
                self._rounds[number] = known(reading.get(Round, number), "round", number)
        return self._rounds[number]

    def universe(self, round: Round) -> list[str]:
        """The ids of a round, sorted by their bytes. Those of the last few rounds are remembered."""
        if round.universe not in self._universes:
            for old in list(self._universes)[: 1 - REMEMBERED]:
                del self._universes[old]
            self._universes[round.universe] = ids_of(self.files.read(universe_name(round)))
        return self._universes[round.universe]

    def running(self, work: Reading) -> list[tuple[Round, Progress]]:
        """All rounds that are not resolved, scheduled ones included, by number."""
        found = [progress for stage in RUNNING for progress in work.find(Progress, stage=stage)]
        pairs = [(self.round(progress.round, work), progress) for progress in found]
        return sorted(pairs, key=lambda pair: pair[0].number)

    def unresolved(self, work: Reading) -> list[Round]:
        """The rounds that are not resolved, as changes of stakes ask for them."""
        return [round for round, _ in self.running(work)]

    def opened(self, work: Reading) -> list[datetime]:
        """When the rounds that run now have opened."""
        return [round.open_time for round, progress in self.running(work) if progress.stage is not Stage.SCHEDULED]

    def secret(self, round: int) -> bytes:
        """The secret that draws a round's bags."""
        return seeds.round_secret(self.master, round)

    def target(self, round: int, day: int | None) -> bytes | None:
        """The target of a scoring day, or the final one (None), as it is kept; None if it has not arrived."""
        try:
            return self.files.read(target_name(round, day))
        except KeyError:
            return None


def known(record: Record | None, what: str, name: object) -> Record:
    """The record, or a refusal (code `unknown`) that names what was looked for."""
    if record is None:
        raise InputError(Problem("unknown", f"a known {what}", f"{what} {name}", "make it first, or correct its name"))
    return record


def same(before: Record, asked: Any, *aside: str) -> Record:
    """What was made before under this id, if it is what is asked for now, some fields aside; else a refusal."""
    names = [field.name for field in fields(asked) if field.name not in aside]
    differ = [name for name in names if getattr(before, name) != getattr(asked, name)]
    if differ:
        what = type(asked).__name__.lower()
        raise InputError(taken(what, getattr(asked, "id", ""), f"one with another {', '.join(differ)}"))
    return before


def require_id(what: str, id: object) -> None:
    """Refuse an id that people could not read: blank, with signs that do not print, or far too long."""
    if not isinstance(id, str) or not id.strip() or id != id.strip() or not id.isprintable() or len(id) > LONGEST_ID:
        expected, found = f"1 to {LONGEST_ID} printable characters, none of them blank at an end", ascii(id)[:60]
        raise InputError(Problem("bad_id", expected, found, "choose another id", what))


def taken(what: str, id: object, found: str) -> Problem:
    """The problem of an id that is in use for something else."""
    return Problem("id_taken", f"a free id, or the same {what} again", found, "choose another id", f"{what} {id}")


def begun(rounds: Sequence[Round], now: datetime) -> list[Round]:
    """Those whose time to open has come."""
    return [round for round in rounds if round.open_time <= now]


def universe_name(round: Round) -> str:
    """Where the ids of a round are kept."""
    return f"universe/{round.universe}"


def features_name(round: Round) -> str:
    """Where the features of a round are kept."""
    return f"features/{round.features}"


def target_name(round: int, day: int | None) -> str:
    """Where the target of a scoring day, or the final one, is kept."""
    return f"target/{round}/{'final' if day is None else format(day, '03d')}"


def upload_name(content_hash: str) -> str:
    """Where an upload is kept, as it came."""
    return f"upload/{content_hash}"


def ranks_name(round: Round, content_hash: str) -> str:
    """Where the ranks of an upload among the ids of a round are kept."""
    return f"ranks/{round.universe[:16]}-{content_hash}"
