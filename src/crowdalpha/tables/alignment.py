"""From tables to arrays: for each era, one array of everything, its rows the targets' ids in one fixed order.

Ids and models are sorted by their UTF-8 bytes, so that neither the order of rows and columns nor the library a
table comes from can change a bit of any score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.arrays import LARGEST
from crowdalpha.scoring.bags import draw_bags
from crowdalpha.scoring.metrics import Era
from crowdalpha.scoring.options import seed_bytes
from crowdalpha.scoring.problems import Problem
from crowdalpha.tables.columns import Codes
from crowdalpha.tables.layouts import Layout, Places, layout, not_numeric, universe_problems
from crowdalpha.tables.sheets import Sheet, Sheets, read_sheets, shown
from crowdalpha.tables.staking import Stakes, read_stakes

Floats = NDArray[np.float64]
MATRICES = ("features", "benchmarks", "neutralizers")
VECTORS = ("metamodel", "sample_weights")
REFERENCES = MATRICES + VECTORS
"""Tables besides predictions and targets; they may hold more ids and eras than are asked for."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How eras are laid out and scored; see `crowdalpha.score`."""

    bags: int | None = 20
    seed: int | str | bytes = 0
    ties: str = "average"
    era: str = "era"
    id: str = "id"

    @property
    def keys(self) -> tuple[str, str]:
        """The key columns of all tables."""
        return self.era, self.id


@dataclass(frozen=True, slots=True)
class Aligned:
    """The eras in order, all models that occur, the columns of the matrices by name, and what was wrong.

    An `Era` holds only the models that are present in it, each with a finite prediction for every id.
    `fatal` are problems of what all models share (targets, stakes, features): nothing can be scored past them.
    `faults` are problems of models in eras, where these models are left out.
    """

    eras: tuple[Era, ...] = ()
    models: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fatal: tuple[Problem, ...] = ()
    faults: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Aligning:
    """What is known while eras are aligned one after the other."""

    sheets: Sheets
    layout: Layout
    places: Places
    stakes: Stakes
    target: _Values
    references: Mapping[str, _Values]
    choices: Choices
    fatal: list[Problem] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Values:
    sheet: Sheet
    names: tuple[str, ...]
    arrays: tuple[NDArray[Any], ...]


def seed_of_era(seed: int | str | bytes, era: int | str) -> bytes:
    """The seed of one era's bags: SHA-256 of seed and era as text, so an era draws the same bags alone or not.

    >>> seed_of_era(0, 7) == seed_of_era("0", "7")
    True
    """
    return hashlib.sha256(seed_bytes(seed) + b"/" + str(era).encode()).digest()


def align(
    tables: Mapping[str, Any],
    stakes: Any = None,
    choices: Choices | None = None,
    *,
    reported: frozenset[str] = frozenset(),
) -> Aligned:
    """Align Arrow tables by era and id. Raises nothing: what is wrong is in the result.

    tables: predictions and targets; features, metamodel and benchmark where there are any. stakes: as in
    `read_stakes`. reported: models whose numbers a reader of files has complained about already.
    """
    choices = choices or Choices()
    sheets = read_sheets(tables, choices.era, choices.id)
    laid_out, problems = layout(sheets, reported)
    fatal = [*sheets.problems, *problems]
    values = {name: _values(sheets, name, fatal) for name in ("targets", *REFERENCES)}
    models = laid_out.models if laid_out else ()
    by_era, problems = read_stakes(stakes, models, sheets.era_values, choices.era, reported)
    fatal += problems if laid_out else [each for each in problems if each.code != "unknown_model"]
    target = values.pop("targets")
    if laid_out is None or target is None:
        return Aligned(models=models, fatal=tuple(fatal))
    references = {name: found for name, found in values.items() if found}
    places = Places(len(sheets.id_values))
    aligning = _Aligning(sheets, laid_out, places, by_era, target, references, choices, fatal)
    eras = tuple(_era(aligning, code) for code in _scored_eras(aligning))
    names = {name: held.names for name, held in references.items()}
    return Aligned(eras, models, names, tuple(aligning.fatal), tuple(aligning.faults))


def _scored_eras(a: _Aligning) -> list[int]:
    predicted = np.unique(a.sheets.by_name["predictions"].era)
    known = np.isin(predicted, a.target.sheet.era) & (predicted < len(a.sheets.era_values))
    if not known.all():
        unknown = [a.sheets.era_name(code) for code in predicted[~known]]
        fix = "add their targets, or drop these eras"
        a.faults.append(Problem("unknown_era", "eras that have targets", shown(unknown), fix, "predictions"))
    return [int(code) for code in predicted[known]]


def _era(a: _Aligning, code: int) -> Era:
    era = a.sheets.era_values[code]
    universe, target = _target(a, code)
    block = a.layout.block(code, universe, a.places)
    a.faults += block.problems
    stakes = a.stakes[code if len(a.stakes) > 1 else 0][block.present]
    found = {name: _reference(a, name, code, universe) for name in a.references}
    found |= {name: found[name][:, 0] for name in VECTORS if name in found}
    return Era(
        predictions=block.values.T,
        target=target,
        stakes=stakes,
        bags=_bags(stakes, era, a.choices),
        ties=a.choices.ties,
        label=era,
        ids=tuple(a.sheets.id_values[universe]),
        models=tuple(a.layout.models[j] for j in block.present),
        **found,
    )


def _target(a: _Aligning, code: int) -> tuple[Codes, Floats]:
    """The universe of an era and its target, in order of the ids."""
    rows = a.target.sheet.eras.rows(code)
    rows = rows[np.argsort(a.target.sheet.id[rows], kind="stable")]
    ids = a.target.sheet.id[rows]
    first = np.append(True, ids[1:] != ids[:-1])
    where = f"targets, era {a.sheets.era_name(code)}"
    a.fatal += universe_problems(a.sheets, ids[first], ids, (np.cumsum(first) - 1).astype(np.int32), where)
    values = a.target.arrays[0][rows].astype(np.float64)
    a.fatal += _not_finite(a.sheets, values[None], ids, "targets", where)
    # a blank id is reported with its table; it is in nobody's universe
    keep = first & (ids < len(a.sheets.id_values))
    return ids[keep], values[keep]


def _reference(a: _Aligning, name: str, code: int, universe: Codes) -> Floats:
    """The values of a reference table for the universe, (n_ids, n_columns); zeros where they are faulty."""
    held = a.references[name]
    rows = held.sheet.eras.rows(code)
    ids = held.sheet.id[rows]
    place = a.places.of(ids, universe)
    where = f"{name}, era {a.sheets.era_name(code)}"
    problems = universe_problems(a.sheets, universe, ids, place, where, extra=False)
    inside = place >= 0
    rows, place = rows[inside], place[inside]
    values = np.zeros((len(held.arrays), len(universe)))
    for j, array in enumerate(held.arrays):
        values[j, place] = array[rows]
    a.fatal += problems + _not_finite(a.sheets, values, universe, name, where)
    return values.T


def _values(sheets: Sheets, name: str, problems: list[Problem]) -> _Values | None:
    """The numeric columns of a table, by name: all of a matrix, the one column of any other."""
    sheet = sheets.get(name)
    if sheet is None:
        return None
    own = "target" if name == "targets" else name
    wanted = sorted(sheet.value_columns, key=str.encode)
    if name not in MATRICES and own in wanted:
        wanted = [own]
    found = not_numeric(sheet.table, wanted, name) or _wrong_number(name, own, wanted)
    problems += found
    return None if found else _Values(sheet, tuple(wanted), tuple(sheet.numbers(each) for each in wanted))


def _wrong_number(name: str, own: str, wanted: list[str]) -> list[Problem]:
    if len(wanted) == 1 or (wanted and name in MATRICES):
        return []
    expected = "at least one column" if name in MATRICES else f"one column (or one named {own})"
    code = "ambiguous_columns" if wanted else "missing_columns"
    found = shown(wanted) or "none"
    return [Problem(code, f"{expected} besides era and id", found, "rename or drop columns", name)]


def _not_finite(sheets: Sheets, values: Floats, ids: Codes, name: str, where: str) -> list[Problem]:
    """Problems that name the ids with a missing, infinite or enormous value in any of the rows of `values`."""
    finite = np.isfinite(values)
    huge = np.asarray((finite & (np.abs(values) > LARGEST)).any(axis=0))
    bad = np.asarray(~finite.all(axis=0))
    problems = []
    if bad.any():
        found, fix = f"missing or infinite values for {_ids(sheets, ids, bad)}", "fill them in, or drop the ids"
        problems.append(Problem(f"nan_in_{name}", "a finite number for each id", found, fix, where))
    if huge.any():
        found = f"larger ones for {_ids(sheets, ids, huge)}"
        problems.append(Problem("too_large", "numbers from -1e150 to 1e150", found, "scale them down", where))
    return problems


def _ids(sheets: Sheets, ids: Codes, some: NDArray[np.bool_]) -> str:
    return f"these ids ({int(some.sum())}): {sheets.id_names(ids[some])}"


def _bags(stakes: NDArray[Any], era: int | str, choices: Choices) -> NDArray[np.int64] | None:
    if not choices.bags or not stakes.any():
        return None
    return draw_bags(stakes, n_bags=choices.bags, seed=seed_of_era(choices.seed, era))
