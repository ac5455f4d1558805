"""docs/rules.md: every dated rule and every policy, from the data that pays by them."""

from __future__ import annotations

from typing import Any

from docs.make.markdown import GENERATED, KEY, link, prose, table

LEAD = """Every payout rule since 2019: the day it started, what it means, and where it is written. The rules are data
(`src/crowdalpha/payouts/rules.toml`); the newest that has started is in force. What the symbols stand for is in
[section 3](scoring.md#3-payouts), why the rules are kept this way in
[a decision](decisions/rules-as-dated-toml.md)."""

PROPOSED = """Policies that were proposed and never became a rule, with the verdict of the
[fairness gate](decisions/fairness-gate.md): a policy is fair if no model and its inverse can earn together without
risk."""


def page() -> str:
    """The page as text."""
    from crowdalpha.payouts import POLICIES, reputation_rules, rules
    from crowdalpha.payouts.parameters import STATUSES

    status = "Status of a source: " + "; ".join(f"{letter}, {meaning}" for letter, meaning in STATUSES.items()) + "."
    parts = ["# Dated rules", GENERATED, LEAD, "## At a glance", glance(rules()), "## Payouts", status]
    parts += [rule(each) for each in rules()]
    parts += ["## Reputation", *(rule(each) for each in reputation_rules())]
    parts += ["## Proposals", PROPOSED, verdicts(row for row in POLICIES.values() if row.start is None)]
    return "\n\n".join(parts) + "\n"


def glance(found: Any) -> str:
    """The parameters of the payout rules, a row each."""
    head = ("from", "name", "corr, mmc multipliers", "clip", "factor", "threshold")
    rows = [
        (str(r.start), r.name, choices(r.choices), f"{r.clip:g}", r.order, f"{r.threshold:,}" if r.threshold else "-")
        for r in found
    ]
    return table(head, rows)


def choices(pairs: Any) -> str:
    """Multiplier pairs in words, the default first."""
    return " or ".join(f"{corr:g}, {mmc:g}" for corr, mmc in pairs)


def rule(found: Any) -> str:
    """One rule: its day, formula, meaning, note and sources."""
    note = f" {prose(found.note)}" if found.note else ""
    return (
        f"### {found.start}: {found.name}\n\n    {found.formula}\n\n{prose(found.meaning)}{note}\n\n"
        f"Source: {sources(found.sources)} ({found.status})."
    )


def verdicts(rows: Any) -> str:
    """Policies with the verdict of the fairness gate."""
    from crowdalpha.payouts import exploit_of

    lines = []
    for row in rows:
        verdict = "fair" if exploit_of(row.policy) is None else "can be milked"
        lines.append((f"`{row.name}`", f"`{row.formula}`", prose(row.meaning), sources(row.sources), verdict))
    return table(("policy", "formula", "meaning", "source", "verdict"), lines)


def sources(found: tuple[str, ...]) -> str:
    """Sources as links, where they are keys of the bibliography or pages of ours."""
    return ", ".join(_source(source) for source in found)


def _source(source: str) -> str:
    if KEY.fullmatch(source):
        return link(source)
    path = source.removeprefix("docs/")
    return f"[our decision]({path})" if path != source else source
