"""Submissions: a table and a universe in, a verdict out, with everything that is wrong in words participants know.

A file is accepted or refused as numerai-tools 0.7.2 would; where that library crashes, we refuse. [NT]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from crowdalpha.scoring.problems import refuse_if_any
from crowdalpha.tournament.columns import as_numbers, as_text, is_id, is_number
from crowdalpha.tournament.faults import ERAS, FILE, HEADERS, IDS, ROUND, VALUES, Fault, broken
from crowdalpha.tournament.headers import MISSING, Columns, Headers

Floats = NDArray[np.float64]
Lines = NDArray[np.int64]
Universe = Sequence[str] | Mapping[str, Sequence[str]]
"""The ids of a round, in order; or, where ids come in several kinds, a column of them for each kind, row by row."""

SHOWN = 20
"""Rows that are listed one by one for each rule broken; the rest is counted."""
ORDER = (FILE, ROUND, HEADERS, IDS, VALUES, ERAS)
"""The order of faults: what makes the next one moot comes first."""
NEAR, NEARLY = 1e-8, 1e-5
"""Absolute and relative tolerance of `numpy.isclose`, which the reference compares range and spread with. [NT]"""
BETWEEN = " "
"""What stands between date and id in the keys of dated eras."""
LOOK_ALIKES = 1000
"""Unknown ids that are compared with the missing ones to find misspelt ones."""


@dataclass(frozen=True, slots=True)
class SubmissionRules:
    """What a tournament asks of a submission.

    `headers` names its columns. `min_ids` ids of the universe must be there (None: all). Predictions lie between
    `lowest` and `highest` (both may be reached) and, with `spread`, are not all alike. An id that was left out gets
    `fill` as its rank (None: NaN). `missing` are the words of a CSV that stand for nothing.
    """

    headers: Headers = field(default_factory=Headers)
    min_ids: int | None = None
    lowest: float = 0.0
    highest: float = 1.0
    spread: bool = True
    fill: float | None = None
    missing: tuple[str, ...] = MISSING

    def needed(self, n_ids: int) -> int:
        """How many of `n_ids` ids a submission must have."""
        return n_ids if self.min_ids is None else self.min_ids


TICKERS = ("ticker", "sedol", "bloomberg_ticker", "composite_figi", "numerai_ticker")
PREDICTED = ("prediction", "signal")
FLAVOURS = {
    "classic": SubmissionRules(),
    "signals": SubmissionRules(
        Headers(TICKERS, PREDICTED, dates=("friday_date", "date"), ignored=("data_type",)), min_ids=100, fill=0.5
    ),
    "crypto": SubmissionRules(Headers(("symbol",), PREDICTED), min_ids=100, fill=0.5),
}
"""The rules of the three public tournaments. [NT]"""
CLASSIC = FLAVOURS["classic"]


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """A file as read: its Arrow table (None if there is none) and what reading it has found wrong.

    `lines` (n_rows,) says where each row stands in the file (None: 1, 2, ...); `unread` are the rows, from 0, whose
    prediction is no number.
    """

    table: Any
    faults: tuple[Fault, ...] = ()
    lines: Lines | None = None
    unread: Lines = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Whether a submission is accepted, and as what.

    `predictions` (n_ids,) stand in the order of the universe, NaN for ids left out; None if it was refused. `n_ids`
    ids of the universe were there, and `unknown` ids that are not in it, which are left out. `faults` is everything
    that is wrong, gravest first; `fill` is the rules'.
    """

    faults: tuple[Fault, ...] = ()
    predictions: Floats | None = None
    n_ids: int = 0
    unknown: tuple[str, ...] = ()
    fill: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults

    @property
    def messages(self) -> tuple[str, ...]:
        """The stable words of the rules that are broken, each once: `code: text`."""
        return tuple(dict.fromkeys(fault.message for fault in self.faults))

    def ranks(self) -> Floats:
        """u = (rank - 1/2) / n among the ids that were sent in (ties share), `fill` for the others.

        Shape (n_ids,), in (0, 1). Raises InputError with all faults if the submission was refused. [NT]
        """
        from crowdalpha.scoring.ranks import uniform

        refuse_if_any(self.faults)
        assert self.predictions is not None
        sent = ~np.isnan(self.predictions)
        ranks = np.full(len(sent), np.nan if self.fill is None else self.fill)
        ranks[sent] = uniform(self.predictions[sent])
        return ranks


def refused(*faults: Fault) -> Verdict:
    """The verdict on what has these faults."""
    return Verdict(tuple(sorted(faults, key=lambda fault: ORDER.index(fault.code))))


def check(table: Any, universe: Universe, rules: SubmissionRules = CLASSIC) -> Verdict:
    """The verdict on an Arrow table of ids and predictions, or on an Upload that holds one.

    Raises ValueError if the universe is empty. [NT]

    >>> import pyarrow as pa
    >>> verdict = check(pa.table({"id": ["b", "a", "x"], "prediction": [0.2, 0.9, 7.0]}), ["a", "b"])
    >>> verdict.accepted, verdict.predictions, verdict.unknown
    (True, array([0.9, 0.2]), ('x',))
    >>> check(pa.table({"id": ["a", "b"], "prediction": [0.5, 0.5]}), ["a", "b"]).messages
    ('invalid_submission_values: submission must have non-zero standard deviation',)
    """
    rows = _read(table, rules)
    if isinstance(rows, Verdict):
        return rows
    if not isinstance(universe, Mapping):
        return _judge(rows, universe, rules)
    if rows.columns.id in universe:
        return _judge(rows, universe[rows.columns.id], rules)
    return refused(*rows.faults, broken("id_kind", repr(rows.columns.id), kinds=list(universe)))


def check_eras(table: Any, universe: Mapping[str, Sequence[str]], rules: SubmissionRules = CLASSIC) -> Verdict:
    """The verdict on predictions of past eras, of which any may be there, each whole (or with `min_ids` ids).

    `universe` maps eras to their ids. Where `rules.headers` require a date, the date is the era, and ids may come
    again in other eras; else an id belongs to one era. Predictions come in the order of the eras and their ids.
    """
    rows = _read(table, rules)
    if isinstance(rows, Verdict):
        return rows
    dated = rules.headers.date_required
    keys = [f"{era}{BETWEEN}{id}" if dated else id for era, ids in universe.items() for id in ids]
    verdict = _judge(rows, keys, rules, enough=False)
    faults = _era_faults(rows, keys, universe, rules)
    return refused(*verdict.faults, *faults) if faults else verdict


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A submission whose columns are known to be text and numbers, and what was wrong before."""

    columns: Columns
    ids: Any
    values: Floats
    lines: Lines
    read: NDArray[np.bool_]
    faults: tuple[Fault, ...]


def _read(table: Any, rules: SubmissionRules) -> _Rows | Verdict:
    upload = table if isinstance(table, Upload) else Upload(table)
    if upload.table is None:
        return refused(*upload.faults)
    table = upload.table
    columns = rules.headers.choose(table.column_names)
    if isinstance(columns, str):
        return refused(*upload.faults, header_fault(columns, table.column_names, rules.headers))
    ids, values = table.column(columns.id), table.column(columns.prediction)
    faults = [*upload.faults]
    if not is_id(ids.type):
        faults.append(broken("id_type", f"a column of {ids.type}"))
    if not is_number(values.type):
        faults.append(broken("numeric", f"a column of {values.type}"))
    if len(faults) > len(upload.faults):
        return refused(*faults)
    ids = as_text(ids)
    if columns.date and rules.headers.date_required:
        ids = _dated(table.column(columns.date), ids)
    lines = np.arange(1, table.num_rows + 1) if upload.lines is None else upload.lines
    read = np.ones(table.num_rows, bool)
    read[upload.unread] = False
    return _Rows(columns, ids, as_numbers(values).to_numpy(), lines, read, upload.faults)


def _dated(dates: Any, ids: Any) -> Any:
    """Ids with their date before them, as the keys of `check_eras` have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(as_text(dates).fill_null(""), ids, pa.scalar(BETWEEN, pa.large_string()))


def header_fault(wrong: str, names: Sequence[str], headers: Headers) -> Fault:
    """The fault of columns that `Headers.choose` did not take."""
    shown = repr(list(names[:SHOWN]))[:200]
    return broken(wrong, shown, ids=list(headers.ids), predictions=list(headers.predictions))


def _judge(rows: _Rows, universe: Sequence[str], rules: SubmissionRules, *, enough: bool = True) -> Verdict:
    """Hold rows against the ids of a universe. Values count only in rows whose id is in it. [NT]"""
    if not len(universe):
        raise ValueError("a universe has at least one id")
    place, home = _places(rows.ids, universe)
    live = place >= 0
    count = np.bincount(place[live], minlength=len(universe))
    n_ids = int(np.count_nonzero(count))
    unknown = tuple(rows.ids.filter(_mask(~live)).drop_null().unique().to_pylist())
    faults = _id_faults(rows, place, count)
    needed = rules.needed(len(universe))
    if enough and n_ids < needed:
        faults.append(_too_few(rows, universe, count, unknown, needed))
    faults += [*_gaps(rows, live), *rows.faults, *_value_faults(rows, live, rules)]
    if faults:
        return Verdict(refused(*faults).faults, None, n_ids, unknown)
    predictions = np.full(len(universe), np.nan)
    predictions[place[live]] = rows.values[live]
    return Verdict((), predictions[home], n_ids, unknown, rules.fill)


def _places(ids: Any, universe: Sequence[str]) -> tuple[Lines, Lines]:
    """Where in the universe each row's id is (-1: nowhere), and where each of the universe's own ids is first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(universe, pa.large_string())
    of_rows, of_own = (pc.index_in(each, value_set=wanted, skip_nulls=True) for each in (ids, wanted))
    own = np.arange(len(universe))
    first = of_own.fill_null(-1).to_numpy()
    return of_rows.fill_null(-1).to_numpy(), np.where(first < 0, own, first)


def _mask(rows: NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return pa.array(rows)


def _id_faults(rows: _Rows, place: Lines, count: Lines) -> list[Fault]:
    column = rows.columns.id
    nothing = np.flatnonzero(rows.ids.is_null().to_numpy())
    faults = listed("id_missing", [(line, "nothing") for line in rows.lines[nothing].tolist()], column=column)
    often = np.flatnonzero((place >= 0) & (count[place] > 1))
    _, first = np.unique(place[often], return_index=True)
    again = np.delete(often, first)
    names = rows.ids.take(again[:SHOWN]).to_pylist()
    return faults + listed("id_twice", _cells(rows, again, [f"{name!r} again" for name in names]), column=column)


def _too_few(rows: _Rows, universe: Sequence[str], count: Lines, unknown: Sequence[str], needed: int) -> Fault:
    """The fault of leaving ids out; says if one of them is there in another spelling."""
    absent = [name for name, times in zip(universe, count.tolist(), strict=True) if not times]
    found, row = f"{len(count) - len(absent)} of {needed}", 0
    if absent:
        found += f", without {_short(absent[0])}"
    spelt = {_folded(name): name for name in absent if name is not None}
    for name in unknown[:LOOK_ALIKES]:
        if _folded(name) in spelt:
            found += f"; {_short(name)} is not {_short(spelt[_folded(name)])}"
            row = int(rows.lines[rows.ids.index(name).as_py()])
            break
    return broken("too_few", found, row, needed=needed)


def _folded(name: str) -> str:
    return normalize("NFKC", name).strip().casefold()


def _short(name: str | None) -> str:
    text = ascii(name)
    return text if len(text) <= 40 else f"{text[:36]}..."


def _gaps(rows: _Rows, live: NDArray[np.bool_]) -> list[Fault]:
    nothing = np.flatnonzero(live & rows.read & np.isnan(rows.values))
    return listed("missing", [(line, "nothing or NaN") for line in rows.lines[nothing].tolist()])


def _value_faults(rows: _Rows, live: NDArray[np.bool_], rules: SubmissionRules) -> list[Fault]:
    kept = np.flatnonzero(live & rows.read & ~np.isnan(rows.values))
    values = rows.values[kept]
    out = kept[_below(values, rules.lowest) | _below(-values, -rules.highest)]
    cells = _cells(rows, out, [f"{value:g}" for value in rows.values[out[:SHOWN]]])
    faults = listed("range", cells, lowest=f"{rules.lowest:g}", highest=f"{rules.highest:g}")
    if rules.spread and len(values) and not _spread(values):
        faults.append(broken("spread", f"{values[0]:g} for every id"))
    return faults


def _below(values: Floats, bound: float) -> NDArray[np.bool_]:
    """Which values are below a bound and not close to it."""
    return (values < bound) & ~(np.abs(values - bound) <= NEAR + NEARLY * abs(bound))


def _spread(values: Floats) -> bool:
    """Whether the standard deviation is not close to 0. That of one value is NaN, which is close to nothing. [NT]"""
    with np.errstate(all="ignore"):
        deviation = np.std(values, ddof=1) if len(values) > 1 else np.nan
    return not deviation <= NEAR + NEARLY * deviation


def _cells(rows: _Rows, at: NDArray[np.intp], shown: Sequence[str]) -> list[tuple[int, str]]:
    """The lines of some rows, each with what is there; beyond the shown ones it goes without saying."""
    return [(line, shown[i] if i < len(shown) else "") for i, line in enumerate(rows.lines[at].tolist())]


def listed(rule: str, cells: Sequence[tuple[int, str]], **words: object) -> list[Fault]:
    """A fault for each of the first rows that break a rule, and one that counts the others."""
    faults = [broken(rule, what, line, **words) for line, what in cells[:SHOWN]]
    if len(cells) > SHOWN:
        faults.append(broken(rule, f"the same in {len(cells) - SHOWN} more rows", 0, **words))
    return faults


def _era_faults(
    rows: _Rows, keys: Sequence[str], universe: Mapping[str, Sequence[str]], rules: SubmissionRules
) -> list[Fault]:
    place, _ = _places(rows.ids, keys)
    era_of = np.repeat(np.arange(len(universe)), [len(ids) for ids in universe.values()])
    sent = np.bincount(era_of[np.unique(place[place >= 0])], minlength=len(universe))
    if not sent.any():
        return [broken("no_era", "none")]
    eras = list(universe)
    short = [i for i in np.flatnonzero(sent) if sent[i] < rules.needed(len(universe[eras[i]]))]
    if not short:
        return []
    first = eras[short[0]]
    needed = rules.needed(len(universe[first]))
    return [broken("eras", f"{sent[short[0]]} ids of era {first}", eras=[eras[i] for i in short], needed=needed)]
