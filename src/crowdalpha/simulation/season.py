"""From a replay to the page that shows it: what is to be seen, and said in plain sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from crowdalpha.diagnostics.data import FEW, Bars, Lines, Run, cumulative
from crowdalpha.diagnostics.formats import between, percent, plain, signed
from crowdalpha.diagnostics.season import Flows, Layer, Layers, Refusal, Ruling, SeasonReport, SeasonRow
from crowdalpha.payouts import Rule, rules
from crowdalpha.scoring.metrics import Era
from crowdalpha.simulation.crowds import Crowds, Difference, crowds, difference
from crowdalpha.simulation.replay import Replayed
from crowdalpha.tournament.money import UNITS
from crowdalpha.tournament.settlement import Payout

AT_ONCE = 4
"""Rounds that are at risk at once: they open weekly and are paid after four weeks."""
NAMED = 7
"""Models whose share is shown by itself."""
SIMULATED = "A history, replayed. All stakes and payouts are simulated: nobody staked, earned or lost anything."
PLACES = {
    "docs": "github.com/numerai/docs, revision {}",
    "ex": "github.com/numerai/example-scripts, revision {}",
    "F": "forum.numer.ai, thread {}",
}
"""Where the keys of rules point, for those who have no bibliography at hand."""


def season(
    eras: Iterable[Era],
    played: Replayed,
    run: Run,
    *,
    title: str,
    rule: str,
    choice: tuple[float, float] | None,
    stake_unit: str = "simulated coins",
    descriptions: Mapping[str, str] | None = None,
    caveats: Sequence[str] = (),
) -> SeasonReport:
    """The report of a replay, whose eras they are, under a rule and the multipliers that all chose."""
    rows, found = season_rows(played, descriptions or {}), crowds(eras, played)
    in_coins = partial(_coins, played)
    return SeasonReport(
        title=title,
        run=run,
        rows=rows,
        says=(*sentences(rows, played), *_of_the_limit(played, rule)),
        verdict=verdict(found),
        weights=weights(played),
        crowd=Bars("The metamodel’s CORR", "CORR", played.eras, tuple(found.compounding.tolist())),
        crowds=_added_up(played, found),
        gains=_gains(played, found),
        at_risk=Bars("At risk", "coins at risk", played.eras, in_coins("at_risk")),
        flows=Flows("Paid and burned", "coins", played.eras, in_coins("paid"), in_coins("burned")),
        ruling=ruling(rule, choice),
        refused=refusals(played),
        stake_unit=stake_unit,
        caveats=(SIMULATED, *caveats),
    )


def season_rows(played: Replayed, descriptions: Mapping[str, str]) -> tuple[SeasonRow, ...]:
    """What the season did to every model, by what it earned."""
    paid: dict[str, list[float]] = defaultdict(list)
    for payout in played.payouts:
        if payout.at_risk:
            paid[payout.model].append(payout.paid / payout.at_risk)
    before, after = sum(played.opening.values()) or 1, sum(played.closing.values()) or 1
    rows = [
        SeasonRow(
            model=name,
            opening=stake / UNITS,
            closing=played.closing[name] / UNITS,
            opening_share=stake / before,
            closing_share=played.closing[name] / after,
            rounds=len(paid[name]),
            mean=float(np.mean(paid[name])) if paid[name] else float("nan"),
            description=descriptions.get(name, ""),
        )
        for name, stake in played.opening.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.change, row.model)))


def weights(played: Replayed, named: int = NAMED) -> Layers:
    """Each model's share of what was at risk: by themselves the largest, on average and in the last round."""
    models = sorted(played.opening)
    place = {name: j for j, name in enumerate(models)}
    amounts = np.zeros((len(played.eras), len(models)))
    for risk in played.at_risk:
        amounts[risk.round - 1, place[risk.model]] = risk.amount
    shares = amounts / np.maximum(amounts.sum(axis=1, keepdims=True), 1)
    size = shares.mean(axis=0) + shares[-1]
    by_size = sorted((j for j in range(len(models)) if size[j] > 0), key=lambda j: (-size[j], models[j]))
    kept = by_size if len(by_size) <= named else by_size[:named]
    layers = [Layer(models[j], tuple(shares[:, j].tolist())) for j in kept]
    rest = [j for j in by_size if j not in kept]
    if rest:
        layers.append(Layer(f"{len(rest)} others", tuple(shares[:, rest].sum(axis=1).tolist()), named=False))
    return Layers("How the metamodel’s weights moved", "share of what is at risk", played.eras, tuple(layers))


def sentences(rows: Sequence[SeasonRow], played: Replayed) -> tuple[str, ...]:
    """Who ended with what, and what it came to in all."""
    staked = [row for row in rows if row.opening > 0]
    if not staked:
        return ("Nobody staked, so nothing was earned and nothing burned.",)
    most = max(staked, key=lambda row: row.closing_share)
    earned, lost = sum(row.change > 0 for row in staked), sum(row.growth < 0.01 for row in staked)
    said = [
        f"{most.model} began with {percent(most.opening_share)} of all stakes and ended with "
        f"{percent(most.closing_share)}: {plain(most.opening, 2)} coins became {plain(most.closing, 2)}.",
        f"{earned} of {len(staked)} staked models ended with more than they began with"
        + (f"; {lost} lost more than 99% of their stake." if lost else "."),
    ]
    paid, burned = (sum(getattr(each, what) for each in played.rounds) / UNITS for what in ("paid", "burned"))
    said.append(f"In {len(played.eras)} rounds {plain(paid, 2)} coins were paid and {plain(burned, 2)} burned.")
    return tuple(said)


def verdict(found: Crowds) -> str:
    """Whether the crowd got better by letting stakes compound, with the intervals that this rests on."""
    mean, opening, equal = (_mean(each) for each in (found.compounding, found.opening, found.equal))
    return (
        f"Weighted by stakes as they moved, the metamodel’s mean CORR is {signed(mean)}; by the opening stakes all "
        f"along it would have been {signed(opening)}, by equal ones {signed(equal)}. "
        f"{_compared('the opening stakes', difference(found.compounding, found.opening))} "
        f"{_compared('equal stakes', difference(found.compounding, found.equal))}"
    )


def _compared(what: str, gain: Difference) -> str:
    """Whether a crowd was better than another one, as far as that can be told."""
    if np.isnan(gain.low):
        rounds = "1 round" if gain.rounds == 1 else f"{gain.rounds} rounds"
        return f"Whether it did better than with {what} cannot be told from {rounds}."
    said = f"Over {what} that is {signed(gain.mean)} a round (95% interval {between(gain.low, gain.high)})"
    if gain.low <= 0 <= gain.high:
        return f"{said}: whether the crowd got better by compounding cannot be told."
    way = "better" if gain.mean > 0 else "worse"
    sure = "" if gain.rounds >= FEW else f", though fewer than {FEW} rounds are too few to judge by"
    return f"{said}: the crowd got {way} by compounding{sure}."


def ruling(name: str, choice: tuple[float, float] | None) -> Ruling:
    """The rule of a name as it is shown, and what all models chose of it."""
    rule = _dated(name)
    if rule is None:
        return Ruling(name, "", "A policy that was never in force.", "", (), _multipliers(choice))
    chosen = choice if choice in rule.choices else rule.choices[0]
    sources = tuple(map(_source, rule.sources))
    return Ruling(name, rule.formula, rule.meaning, rule.start.isoformat(), sources, _multipliers(chosen))


def refusals(played: Replayed) -> tuple[Refusal, ...]:
    """What was not taken, by the reason, most frequent first."""
    counts = Counter(played.refused.values())
    models = {reason: sorted({m for (_, m), why in played.refused.items() if why == reason}) for reason in counts}
    return tuple(Refusal(reason, count, tuple(models[reason])) for reason, count in counts.most_common())


def _of_the_limit(played: Replayed, name: str) -> tuple[str, ...]:
    """How often the rule's limit was met: where signals are strong, it and not the score says what is paid."""
    rule = _dated(name)
    paid = [payout for payout in played.payouts if payout.at_risk]
    if rule is None or not paid:
        return ()
    met = sum(_at_limit(payout, rule.clip) for payout in paid)
    limit, share = percent(rule.clip, 0), percent(met / len(paid), 0)
    if not met:
        return (f"No payout met the rule’s limit of {limit} of what is at risk.",)
    ruin = f"; {AT_ONCE} such burns in a row take all, as {AT_ONCE} rounds are at risk at once"
    said = f"{share} of all payouts and burns met the rule’s limit of {limit} of what is at risk"
    return (f"{said}{ruin if rule.clip * AT_ONCE == 1 else ''}.",)


def _at_limit(payout: Payout, clip: float) -> bool:
    return abs(payout.fraction) >= clip


def _dated(name: str) -> Rule | None:
    return next((rule for rule in rules() if rule.name == name), None)


def _multipliers(choice: tuple[float, float] | None) -> str:
    if choice is None:
        return "the rule’s default"
    parts = [f"{each:g} × {name}" for each, name in zip(choice, ("CORR", "MMC"), strict=True) if each]
    return " + ".join(parts) or "nothing"


def _source(key: str) -> str:
    """A key of the bibliography with what it points to.

    >>> _source("F220"), _source("docs@527f3cc")
    ('F220 (forum.numer.ai, thread 220)', 'docs@527f3cc (github.com/numerai/docs, revision 527f3cc)')
    """
    kind, _, rest = key.partition("@")
    where = PLACES[kind].format(rest) if kind in PLACES else ""
    if key.startswith("F") and key[1:].partition("#")[0].isdecimal():
        where = PLACES["F"].format(key[1:].replace("#", ", post "))
    return f"{key} ({where})" if where else key


def _added_up(played: Replayed, found: Crowds) -> Lines:
    series = (
        cumulative("opening stakes", found.opening.tolist(), "highlight"),
        cumulative("equal stakes", found.equal.tolist(), "highlight"),
        cumulative("compounding", found.compounding.tolist(), "metamodel"),
    )
    return Lines("Three metamodels", "cumulative CORR", played.eras, series)


def _gains(played: Replayed, found: Crowds) -> Lines:
    series = (
        cumulative("equal stakes", (found.compounding - found.equal).tolist(), "highlight"),
        cumulative("opening stakes", (found.compounding - found.opening).tolist(), "metamodel"),
    )
    return Lines("What compounding added", "cumulative CORR ahead", played.eras, series)


def _mean(scores: np.ndarray) -> float:
    known = scores[~np.isnan(scores)]
    return float(known.mean()) if known.size else float("nan")


def _coins(played: Replayed, what: str) -> tuple[float, ...]:
    """A figure of every round, in coins."""
    return tuple(getattr(each, what) / UNITS for each in played.rounds)
