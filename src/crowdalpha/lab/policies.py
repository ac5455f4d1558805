"""Policies of one's own, by what a command line says: a name, a file of numbers, or a Python function.

    corr                a rule or a proposal of `crowdalpha rules`
    mine.toml           every policy of a file, a table each
    mine.toml:gentle    one of them
    mine.py:pay         a function pay(corr, mmc) of arrays, a fraction of the stake, or a Policy

A file of numbers is data. A Python file is run, with all that its author can do: run your own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from runpy import run_path
from typing import Any

from crowdalpha.payouts import POLICIES, PayoutError, policy_of
from crowdalpha.payouts.designs import Design
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.tournament.rulesets import RuleSet, rule_set

SAID = ("corr", "mmc", "choices", "clip", "hard_era", "floor")
"""What a table of a file may say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked about: names in order, and the policies of one's own among them."""

    rules: tuple[str, ...]
    custom: Mapping[str, Policy]


def asked(words: Iterable[str]) -> Asked:
    """The policies that words name, each once.

    Refused, all at once, with codes `unknown_rule`, `policy_unreadable`, `policy_failed`, `unknown_policy`,
    `policy_name_taken` and `bad_policy`.

    >>> asked(["corr"]).rules
    ('corr',)
    """
    rules: dict[str, None] = {}
    custom: dict[str, Policy] = {}
    problems: list[Problem] = []
    for word in dict.fromkeys(words):
        try:
            found = _found(word)
        except InputError as refusal:
            problems += refusal.problems
            continue
        problems += _twice(found, custom, word)
        custom |= {name: policy for name, policy in found.items() if policy is not None}
        rules |= dict.fromkeys(found)
    refuse_if_any(problems)
    return Asked(tuple(rules), custom)


def the_policy(word: str) -> RuleSet:
    """The one policy that a word names, refused as in `asked`, or with `unknown_policy` if it names several."""
    found = asked([word])
    if len(found.rules) != 1:
        names, fix = ", ".join(found.rules), f"name one, as in {word}:{found.rules[0]}"
        raise InputError(Problem("unknown_policy", "one policy", names, fix, word))
    return rule_set(found.rules[0], found.custom)


def read_designs(path: Path) -> dict[str, Design]:
    """The policies of a TOML file, a table each, refused with all that is wrong with them.

    A table says `corr` and `mmc`, the multipliers, or `choices`, a list of such pairs; `clip`, `hard_era` and `floor`
    as they are in `Design`.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    problems: list[Problem] = []
    if not tables:
        fix = "write a table such as [mine] with corr, mmc and clip"
        problems.append(Problem("bad_policy", "a table for each policy", "none", fix, str(path)))
    found: dict[str, Design] = {}
    for name, table in tables.items():
        try:
            found[name] = _design(table, f"{path}, {name}")
        except InputError as refusal:
            problems += refusal.problems
    refuse_if_any(problems)
    return found


def _found(word: str) -> Mapping[str, Policy | None]:
    """What a word names: a policy that is known already is None."""
    path, _, name = word.rpartition(":")
    if word.endswith(".toml"):
        return {key: design.policy() for key, design in read_designs(Path(word)).items()}
    if path.endswith(".toml"):
        designs = read_designs(Path(path))
        _require(name, designs, path)
        return {name: designs[name].policy()}
    if path.endswith(".py"):
        return {name: _of_python(Path(path), name)}
    if word.endswith(".py"):
        fix = f"say which function, as in {word}:pay"
        raise InputError(Problem("unknown_policy", "a function of the file", "none named", fix, word))
    rule_set(word)
    return {word: None}


def _of_python(path: Path, name: str) -> Policy:
    if not path.is_file():
        raise _unreadable(path, FileNotFoundError("there is no such file"))
    try:
        said = run_path(str(path))
    except (Exception, SystemExit) as error:
        found = f"{type(error).__name__}: {error}"
        fix = "run the file by itself to see where"
        raise InputError(Problem("policy_failed", "Python that runs", found, fix, str(path))) from error
    _require(name, {key for key in said if not key.startswith("__")}, str(path))
    policy: Any = said[name]
    if isinstance(policy, Design):
        return policy.policy()
    if hasattr(policy, "payouts"):
        return policy
    if callable(policy):
        return policy_of(_answering(policy, f"{path}:{name}"))
    fix = "write a function pay(corr, mmc) that returns fractions of the stake"
    raise InputError(Problem("bad_policy", "a function or a policy", repr(policy)[:80], fix, f"{path}:{name}"))


def _answering(pay: Callable[..., Any], where: str) -> Callable[..., Any]:
    """A function whose own mistakes are refused instead of stopping everything."""

    @wraps(pay)
    def called(corr: Any, mmc: Any) -> Any:
        try:
            return pay(corr, mmc)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            fix = "call it by itself with the scores of some models, say np.zeros(3) twice"
            raise InputError(Problem("policy_failed", "an answer of pay(corr, mmc)", found, fix, where)) from error

    return called


def _design(table: Any, where: str) -> Design:
    said = table if isinstance(table, dict) else {}
    unknown = sorted(said.keys() - set(SAID))
    if not isinstance(table, dict) or unknown or ("choices" in said) == bool(said.keys() & {"corr", "mmc"}):
        expected = f"a table of {', '.join(SAID)}, with choices or with corr and mmc"
        fix = "see docs/lab/your-own-policy.md"
        raise InputError(Problem("bad_policy", expected, ", ".join(unknown or map(str, said)) or "none", fix, where))
    try:
        pairs = [tuple(pair) for pair in said.get("choices", [(said.get("corr", 0), said.get("mmc", 0))])]
        rest = {key: value for key, value in said.items() if key in ("clip", "hard_era", "floor")}
        return Design(choices=tuple(pairs), **rest)
    except PayoutError as error:
        fix = "correct the number"
        problems = (Problem("bad_policy", "numbers of a policy", text, fix, where) for _, text in error.problems)
        raise InputError(*problems) from None
    except TypeError:
        fix = "write pairs such as [[1, 0], [0, 2]]"
        raise InputError(Problem("bad_policy", "choices as pairs", repr(said["choices"])[:80], fix, where)) from None


def _require(name: str, names: Iterable[str], where: str) -> None:
    if name not in set(names):
        expected = f"one of {', '.join(sorted(names))}"
        raise InputError(Problem("unknown_policy", expected, repr(name), "check the name after the colon", where))


def _twice(found: Mapping[str, Policy | None], custom: Mapping[str, Policy], word: str) -> Iterator[Problem]:
    """Names that stand for something else already."""
    for name, policy in found.items():
        if policy is not None and (name in POLICIES or custom.get(name, policy) != policy):
            fix = "call your policy something else"
            yield Problem("policy_name_taken", "a name of its own", repr(name), fix, word)


def _unreadable(path: Path, error: Exception) -> InputError:
    fix = "check the path; a policy is a table of numbers in TOML, or a function in Python"
    return InputError(Problem("policy_unreadable", "a file of policies", str(error), fix, str(path)))
