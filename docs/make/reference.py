"""docs/reference.md: every metric and every public function, in the words of the code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from docs.make.markdown import GENERATED, KEY, docstring, link, prose, table
from docs.make.source import SOURCE

CHAPTERS: dict[str, dict[str, tuple[str, ...] | None]] = {
    "Tables in, tables out": {"frames": ("score", "eras", "Crowd")},
    "Ranks": {"ranks": None},
    "Neutralisation": {"neutral": None},
    "Correlation": {"correlation": None},
    "Metamodel and bags": {"metamodel": None, "bags": None},
    "Contribution": {"contribution": None},
    "Likeness": {"pairwise": None},
    "Exposure": {"exposure": None},
    "Portfolios": {"portfolio": None},
    "Across eras": {"eras": ("summarize", "Summary", "corr_mmc_sharpe", "CorrMmcSharpe", "bag_standard_error")},
    "scikit-learn": {
        "estimators": ("FeatureNeutralizer", "MetamodelNeutralizer", "corr_score", "numerai_corr_score", "mmc2_score")
    },
    "Refusals": {"problems": None},
}
"""The chapters on scoring: modules by their last name, with the names to show, or None for all that are exported."""

LEAD = """Every metric and every public function, with the sentence and the equation of its docstring. What the symbols
mean, and why the rules are what they are, stands on [one page](scoring.md); where they are from, in the
[bibliography](bibliography.md); what a refusal's code means, in the [problems](problems.md)."""


WIDTH = 110
"""The longest signature that stays on one line."""


def page() -> str:
    """The page as text."""
    chapters = [f"## {title}\n\n" + "".join(_entries(modules)) for title, modules in CHAPTERS.items()]
    parts = ["# Reference", GENERATED, LEAD, "## Metrics", metrics(), *chapters, "## Payouts", payouts()]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def metrics() -> str:
    """The rows of METRICS as a table."""
    from crowdalpha.scoring import METRICS

    head = ("name", "title", "says", "bounds", "better", "needs", "source")
    rows = [
        (f"`{m.name}`", m.title, prose(m.says), m.bounds, m.better, ", ".join(m.needs) or "-", cited(m.source))
        for m in METRICS.values()
    ]
    return table(head, rows)


def payouts() -> str:
    """The public names of the payouts, in the order of the package."""
    package = import_module("crowdalpha.payouts")
    intro = "From `crowdalpha.payouts`. The dated rules themselves are on [their own page](rules.md)."
    things = [(name, getattr(package, name)) for name in package.__all__]
    return intro + "\n\n" + "".join(entry(name, thing) for name, thing in things if _documented(thing))


def cited(source: str) -> str:
    """A source as a link if it is a key, as it is if it is not."""
    return link(source) if KEY.fullmatch(source) else source


def entry(name: str, thing: Any) -> str:
    """A heading, the signature and the docstring of one public name."""
    return f"### `{name}`\n\n```python\n{signature(name, thing)}\n```\n\n{docstring(thing)}\n\n"


def signature(name: str, thing: Any) -> str:
    """A call as the code declares it, without the modules of its types; an argument a line where it is long."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return f"class {name}({thing.__bases__[0].__name__})"
    if getattr(thing, "_is_protocol", False):
        return f"class {name}(Protocol)"
    found = inspect.signature(thing)
    shown = _parameters(found)
    start = f"{'class' if inspect.isclass(thing) else 'def'} {name}"
    returned = found.return_annotation
    ending = "" if inspect.isclass(thing) or returned is found.empty else f" -> {_type(returned)}"
    line = f"{start}({', '.join(shown)}){ending}"
    return line if len(line) <= WIDTH else f"{start}(\n" + "".join(f"    {each},\n" for each in shown) + f"){ending}"


def _parameters(found: inspect.Signature) -> list[str]:
    shown, starred = [], False
    for each in found.parameters.values():
        if each.kind is each.KEYWORD_ONLY and not starred:
            shown.append("*")
        starred = starred or each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        stars = "*" if each.kind is each.VAR_POSITIONAL else "**" if each.kind is each.VAR_KEYWORD else ""
        annotation = "" if each.annotation is each.empty else f": {_type(each.annotation)}"
        equals = " = " if annotation else "="
        shown.append(f"{stars}{each.name}{annotation}" + ("" if each.default is each.empty else equals + _value(each)))
    return shown


def _type(annotation: Any) -> str:
    name = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", name)


def _value(parameter: inspect.Parameter) -> str:
    return "..." if repr(parameter.default).startswith("<") else repr(parameter.default).replace("'", '"')


def _entries(modules: dict[str, tuple[str, ...] | None]) -> Iterator[str]:
    for name, names in modules.items():
        module = import_module(_home(name))
        yield from (entry(each, getattr(module, each)) for each in names or _exported(module))


def _home(name: str) -> str:
    """The dotted name of the module of that name, the one of the scores before any other."""
    found = sorted(SOURCE.rglob(f"{name}.py"), key=lambda path: path.parent.name != "scoring")
    return ".".join(("crowdalpha", *found[0].relative_to(SOURCE).with_suffix("").parts))


def _exported(module: ModuleType) -> list[str]:
    """The classes and functions of a module that the package exports, in the order of the file."""
    exported = import_module("crowdalpha.scoring").__all__
    own = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    return [name for name in own if name in exported and _documented(getattr(module, name))]


def _documented(thing: Any) -> bool:
    return inspect.isclass(thing) or inspect.isfunction(thing)
