"""Rounds: where each stands and what comes next, and of those that are over how the scores and the money fell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crowdalpha.engine import Engine, Overview
from crowdalpha.payouts import Rule, rules
from crowdalpha.scoring.problems import InputError
from crowdalpha.server.charts import Chart, Column
from crowdalpha.server.histogram import draw_histogram, histogram
from crowdalpha.server.views.memory import Memory
from crowdalpha.tournament.ports import Reading
from crowdalpha.tournament.records import METAMODEL, Model, Progress, Score, Submission
from crowdalpha.tournament.rounds import Round, Stage
from crowdalpha.tournament.rulesets import rule_set
from crowdalpha.tournament.scoringday import final_day
from crowdalpha.tournament.settlement import Payout, round_factor
from crowdalpha.tournament.stakes import AtRisk

UPCOMING, OPEN, SCORING, RESOLVED = "upcoming", "open", "scoring", "resolved"


@dataclass(frozen=True, slots=True)
class Step:
    """A time in the life of a round: what happens then, and whether it has."""

    name: str
    at: datetime
    past: bool


@dataclass(frozen=True, slots=True)
class Part:
    """What a model did in a round: its final scores and payout; while the round is scored, those of the last day."""

    model: Model
    scores: dict[str, float]
    payout: Payout | None
    at_risk: int | None


@dataclass(frozen=True, slots=True)
class RoundView:
    """A round as everybody may see it: `parts` is empty until a day of it is scored, `revealed` until it is resolved.

    `day` is the scoring day that `parts` are of, 0 if it is over or none is scored. `factor` is the payout factor, None
    while what is at risk is not known; `rule` is None for one that is not dated.
    """

    seen: Overview
    state: str
    steps: tuple[Step, ...]
    next: Step | None
    rule: Rule | None
    factor: float | None
    parts: tuple[Part, ...]
    day: int
    revealed: str

    @property
    def round(self) -> Round:
        """The round itself."""
        return self.seen.round

    @property
    def took_part(self) -> int | None:
        """How many models sent something in on time; not said before the round is closed."""
        return None if self.seen.stage in (Stage.SCHEDULED, Stage.OPEN) else self.seen.on_time

    def behind(self, metric: str) -> int | None:
        """How many models scored less than the metamodel; None where models have no such score."""
        crowd, scores = self.seen.crowd.get(metric), [p.scores[metric] for p in self.parts if metric in p.scores]
        return None if crowd is None or not scores else sum(score < crowd for score in scores)

    @property
    def days(self) -> tuple[int, int]:
        """How many of its days are scored, and how many there are."""
        return len(self.seen.scored_days), len(self.round.scoring_times)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """How the scores of its models are spread, a chart a metric."""
        if not self.parts:
            return ()
        return tuple(self._spread(metric) for metric in self.round.metrics)

    def _spread(self, metric: str) -> Chart:
        values = [part.scores[metric] for part in self.parts if metric in part.scores]
        title = f"{metric.upper()} of all models" + (f", day {self.day}" if self.day else "")
        value = histogram(title, metric.upper(), values)
        few = histogram(title, metric.upper(), values, about=12)
        counted = zip(value.edges, value.edges[1:], value.counts, strict=False)
        return Chart(
            f"spread-{metric.replace('_', '-')}",
            title,
            "How many models scored how much; the dashed line is the middle one.",
            lambda name, width: draw_histogram(value if width > 600 else few, name=name, width=width),
            (Column("from", "score"), Column("to", "score"), Column("models", "whole")),
            tuple(counted),
        )

    @property
    def table(self) -> tuple[tuple[Column, ...], tuple[tuple[Any, ...], ...]]:
        """Every model of the round as columns and rows, for a file."""
        scores = (Column(metric, "score") for metric in self.round.metrics)
        columns = (Column("model"), Column("id"), Column("day", "whole"), *scores)
        money = (Column("at_risk", "amount"), Column("fraction", "score"), Column("paid", "change"))
        day = self.day or final_day(self.round)
        rows = tuple(
            (p.model.name, p.model.id, day, *(p.scores.get(m) for m in self.round.metrics), *_money(p))
            for p in self.parts
        )
        return (*columns, *money), rows


@dataclass(frozen=True, slots=True)
class Promise:
    """What a round has promised before it opened, and the secret that keeps it ("" while it runs)."""

    round: Round
    revealed: str


def promises(engine: Engine) -> list[Promise]:
    """What every round has promised, the newest first."""
    with engine.store.reading() as work:
        revealed = {progress.round: progress.revealed for progress in work.find(Progress)}
        return [Promise(round, revealed[round.number]) for round in reversed(work.find(Round))]


def round_view(engine: Engine, memory: Memory, number: int, now: datetime) -> RoundView | None:
    """A round with all that is public of it; None if there is none with that number."""
    with engine.store.reading() as work:
        progress = work.get(Progress, number)
    if progress is None:
        return None
    if progress.stage is not Stage.RESOLVED:
        return _view(engine, memory, number, now)
    return memory.recall(
        ("round", number), lambda: _view(engine, memory, number, now)
    )  # nothing of it changes any more


def running(engine: Engine, now: datetime) -> tuple[Round | None, Round | None]:
    """The round that takes submissions now, and the next one to open."""
    with engine.store.reading() as work:
        waiting = {p.round for stage in (Stage.SCHEDULED, Stage.OPEN) for p in work.find(Progress, stage=stage)}
        rounds = [round for number in sorted(waiting) if (round := work.get(Round, number)) is not None]
    accepting = [round for round in rounds if round.accepts(now)]
    coming = [round for round in rounds if round.open_time > now]
    return (accepting[-1] if accepting else None), min(coming, key=lambda round: round.open_time, default=None)


def state_of(round: Round, stage: Stage, now: datetime) -> str:
    """Where a round stands for its participants: by the clock, for the engine may be a moment behind it."""
    if stage is Stage.RESOLVED:
        return RESOLVED
    if now < round.open_time:
        return UPCOMING
    return OPEN if now < round.close_time else SCORING


def _view(engine: Engine, memory: Memory, number: int, now: datetime) -> RoundView:
    seen = engine.round_show(number)
    over = seen.stage is Stage.RESOLVED
    day = final_day(seen.round) if over else max(seen.scored_days, default=0)
    parts = (
        memory.recall(("parts", number, seen.round.rule_set, day), lambda: _parts(engine, seen.round, day))
        if day
        else ()
    )
    with engine.store.reading() as work:
        progress, factor = work.get(Progress, number), _factor(work, seen)
    steps = _steps(seen.round, seen.stage, now)
    rule = next((rule for rule in rules() if rule.name == seen.round.rule), None)
    coming = next((step for step in steps if not step.past), None)
    revealed = progress.revealed if progress else ""
    state = state_of(seen.round, seen.stage, now)
    return RoundView(seen, state, steps, coming, rule, factor, parts, 0 if over else day, revealed)


def _steps(round: Round, stage: Stage, now: datetime) -> tuple[Step, ...]:
    over = stage is Stage.RESOLVED
    first, last = round.scoring_times[0], round.scoring_times[-1]
    times = [("Opens", round.open_time), ("Closes", round.close_time), ("First score", first)]
    times += [("Last score", last)] if last != first else []
    return (*(Step(name, at, over or at <= now) for name, at in times), Step("Resolves", round.resolve_time, over))


def _factor(work: Reading, seen: Overview) -> float | None:
    if seen.stage in (Stage.SCHEDULED, Stage.OPEN):
        return None
    try:
        threshold = rule_set(seen.round.rule).threshold
    except InputError:
        return None  # a policy of the tournament's own, which says itself what it pays
    return round_factor(work.find(AtRisk, round=seen.round.number), threshold)


def _parts(engine: Engine, round: Round, day: int) -> tuple[Part, ...]:
    """Every model that took part and, before the end, has a score of that day; best contribution first."""
    scores: dict[str, dict[str, float]] = {}
    with engine.store.reading() as work:
        for score in work.find(Score, round=round.number, rule_set=round.rule_set, day=day):
            scores.setdefault(score.model, {})[score.metric] = score.value
        payouts = {payout.model: payout for payout in work.find(Payout, round=round.number)}
        risks = {risk.model: risk.amount for risk in work.find(AtRisk, round=round.number)}
        sent = {submission.model for submission in work.find(Submission, round=round.number)}
        shown = (sent if day == final_day(round) else sent & scores.keys()) - {METAMODEL}
        models = [model for id in shown if (model := work.get(Model, id)) is not None]
    parts = [Part(model, scores.get(model.id, {}), payouts.get(model.id), risks.get(model.id)) for model in models]
    best = "mmc2" if "mmc2" in round.metrics else round.metrics[0]
    return tuple(
        sorted(parts, key=lambda p: (best not in p.scores, -p.scores.get(best, 0.0), p.model.name, p.model.id))
    )


def _money(part: Part) -> tuple[int | None, float | None, int | None]:
    if part.payout is None:
        return part.at_risk, None, None
    return part.payout.at_risk, part.payout.fraction, part.payout.paid
