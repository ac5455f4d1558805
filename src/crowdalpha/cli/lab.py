"""`crowdalpha lab`: what a rule would pay, and whether it can be gamed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import counted, number, print_json, progress, reports_refusals, span
from crowdalpha.cli.layout import print_table
from crowdalpha.cli.options import as_json, existing, some
from crowdalpha.cli.tournament.door import InOrder, refusals
from crowdalpha.cli.tournament.replay import pair

if TYPE_CHECKING:
    from crowdalpha.lab.claims import Finding
    from crowdalpha.lab.replays import Comparison
    from crowdalpha.lab.verdicts import Verdict

seed = click.option("--seed", default="0", show_default=True, help="What all chance comes from: a number or any text.")

POLICIES = "A rule, again and again; the others are compared with the first."


@click.group(name="lab", cls=InOrder)
def command() -> None:
    """Ask what a rule would pay, and whether it can be gamed, on simulated crowds.

    Rounds are scored and settled by the functions that real rounds are. All stakes are simulated.
    """


@command.command(name="claims")
@click.argument("names", nargs=-1, metavar="[CLAIM]...")
@click.option("--seasons", type=some, default=24, show_default=True, help="Seasons that are simulated for each.")
@seed
@as_json
@reports_refusals
def claims(names: tuple[str, ...], seasons: int, seed: str, as_json: bool) -> None:
    """Try the claims made about MMC, or those named, each by an experiment.

    What a simulated crowd does is shown with its 99% interval, beside what theory says where there is a closed form.
    """
    from crowdalpha.lab.claims import CLAIMS, run

    found = []
    with progress("Trying claims") as told:
        for each in run(names, seed=seed, seasons=seasons):
            found.append(each)
            told(len(found), len(names or CLAIMS))
    if as_json:
        print_json([_record(each) for each in found])
        return
    for each in found:
        _print(each)


@command.command(name="judge")
@click.argument("rules", nargs=-1, required=True, metavar="RULE...")
@click.option("--agent", "agents", multiple=True, help="An agent to try, again and again; else all.")
@click.option("--seasons", type=some, default=24, show_default=True, help="Seasons that are simulated.")
@click.option("--rounds", type=some, default=20, show_default=True, help="Rounds of a season.")
@seed
@as_json
@reports_refusals
def judge(rules: tuple[str, ...], agents: tuple[str, ...], seasons: int, rounds: int, seed: str, as_json: bool) -> None:
    """Try every attack on each RULE beside a simulated crowd, and say whether it can be milked.

    Rules are those of `crowdalpha rules` and the proposals beside them, fair or not. Profits are fractions of the
    attacker's stake a round; an attack that only stakes or chooses otherwise is measured by an honest model.
    """
    from crowdalpha.lab.contests import Trial
    from crowdalpha.lab.verdicts import sentence, try_rules

    with refusals(), progress("Trying attacks") as told:
        trial = Trial(seasons=seasons, rounds=rounds, seed=seed)
        found = try_rules(rules, agents, trial, told=told)
    if as_json:
        print_json({rule: _judgement(rule, verdicts) for rule, verdicts in found.items()})
        return
    for rule, verdicts in found.items():
        columns = ("agent", "choice", "profit", "99.9% interval", "ahead", "finding")
        caption = sentence(rule, verdicts)
        print_table(rule, columns, [_verdict(each) for each in verdicts], caption=caption, spare=("ahead", "choice"))


@command.command(name="replay")
@click.argument("predictions", type=existing)
@click.option("--targets", type=existing, required=True, help="era, id and the target.")
@click.option("--stakes", type=existing, required=True, help="model, stake: the opening stakes, in coins.")
@click.option("--policy", "policies", multiple=True, required=True, help=POLICIES)
@click.option("--choice", callback=pair, metavar="CORR,MMC", help="What all choose where a rule offers it.")
@click.option("--bags", type=some, default=100, show_default=True, help="Bags of the score that a round is paid on.")
@seed
@as_json
@reports_refusals
def replay(
    predictions: Path,
    targets: Path,
    stakes: Path,
    policies: tuple[str, ...],
    choice: tuple[float, float] | None,
    bags: int,
    seed: str,
    as_json: bool,
) -> None:
    """Play PREDICTIONS, era by era, under each policy, and say what it made of them.

    Files and rounds are those of `crowdalpha replay`, and with the same seed so are payouts, to the unit. Who gains by
    another policy is told with a 95% interval. All stakes are simulated.
    """
    from crowdalpha.lab.replays import compare
    from crowdalpha.tables.frames import eras
    from crowdalpha.tables.opening import opening_stakes

    with refusals(), progress("Playing rules") as told:
        history = eras(predictions, targets, bags=0)
        opening = opening_stakes(stakes, history.models)
        found = compare(history, opening, policies, choice=choice, bags=bags, seed=seed, told=told)
    if as_json:
        print_json({"outcomes": _in_coins(found), "shifts": [asdict(shift) for shift in found.shifts]})
        return
    _print_outcomes(found)
    for rule in policies[1:]:
        _print_shifts(found, rule, policies[0])


def _in_coins(found: Comparison) -> list[dict[str, object]]:
    from crowdalpha.tournament.money import UNITS

    amounts = ("earned", "burned", "opening", "closing")
    rows = [asdict(outcome) for outcome in found.outcomes]
    return [row | {name: row[name] / UNITS for name in amounts} for row in rows]


def _print_outcomes(found: Comparison) -> None:
    columns = ("policy", "earned", "burned", "closing", "mean", "volatility", "drawdown", "Gini", "CORR", "Sharpe")
    rows: list[tuple[str, ...]] = []
    for row in _in_coins(found):
        coins = [f"{row[name]:,.2f}" for name in ("earned", "burned", "closing")]
        shares = [f"{row['mean']:+.2%}", *(f"{row[name]:.2%}" for name in ("volatility", "drawdown"))]
        scores = [f"{row['gini']:.3f}", *(number(float(str(row[name]))) for name in ("corr", "sharpe"))]
        rows.append((str(row["rule"]), *coins, *shares, *scores))
    caption = "Coins earned and burned in all, held in the end; the others are a round's, of all that was at risk."
    print_table("The same rounds under each policy", columns, rows, caption=caption, spare=("Sharpe", "mean", "burned"))


def _print_shifts(found: Comparison, rule: str, first: str) -> None:
    shifts = [shift for shift in found.shifts if shift.rule == rule]
    rows = [
        (shift.model, f"{shift.gain.mean:+.3%}", f"{shift.gain.low:+.3%} to {shift.gain.high:+.3%}",
         str(shift.gain.rounds))
        for shift in shifts
    ]  # fmt: skip
    gain, lose = sum(shift.gain.low > 0 for shift in shifts), sum(shift.gain.high < 0 for shift in shifts)
    caption = f"Of {counted(len(shifts), 'model')} {gain} surely gain and {lose} surely lose."
    columns = ("model", "gain a round", "95% interval", "rounds")
    print_table(f"{rule} instead of {first}", columns, rows, caption=caption, spare=("rounds",))


def _judgement(rule: str, verdicts: Sequence[Verdict]) -> dict[str, object]:
    from crowdalpha.lab.verdicts import conviction, sentence

    guilty = conviction(verdicts)
    said = {"says": sentence(rule, verdicts), "convicted_by": guilty and guilty.agent}
    return said | {"verdicts": [asdict(each) for each in verdicts]}


def _verdict(each: Verdict) -> tuple[str, ...]:
    choice, between = f"{each.choice[0]:g},{each.choice[1]:g}", f"{each.low:+.3%} to {each.high:+.3%}"
    return each.agent, choice, f"{each.profit:+.3%}", between, f"{each.ahead:.0%}", each.finding


def _record(found: Finding) -> dict[str, object]:
    figures = [asdict(figure) | {"holds": figure.holds} for figure in found.figures]
    claim = found.claim
    return {"name": claim.name, "says": claim.says, "source": claim.source, "holds": found.holds, "figures": figures}


def _print(found: Finding) -> None:
    rows = [
        (
            figure.what,
            number(figure.simulated),
            span(figure.low, figure.high),
            "-" if figure.theory is None else number(figure.theory),
            "" if figure.theory is None else "yes" if figure.holds else "NO",
        )
        for figure in found.figures
    ]
    columns = ("figure", "simulated", "99% interval", "theory", "inside")
    print_table(f"{found.claim.name} [{found.claim.source}]", columns, rows, caption=found.claim.says)
