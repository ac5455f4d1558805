"""A table an era at a time: a Parquet file is read by it, any other is in memory as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crowdalpha.tables import columns
from crowdalpha.tables.files import read_table

ERA, ID, MODEL = "era", "id", "model"


class Slices:
    """The rows of each era. `names` are the eras as text, in order; None of a table that has no eras, or not all."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self._table: Any = None
        self._dataset = by_era(path)
        if self._dataset is None:
            self._table = read_table(path)
            column = self._table.column(ERA) if self._table.column_names.count(ERA) == 1 else None
        else:
            batches = self._dataset.to_batches(columns=[ERA])
            kind = self._dataset.schema.field(ERA).type
            column = pa.chunked_array(
                [pa.chunked_array([batch.column(0).unique() for batch in batches], kind).unique()]
            )
        self.names, self._rows = self._told_apart(column)

    def of(self, era: str) -> Any:
        """The rows of an era; all rows of a table that has no eras."""
        from pyarrow import dataset

        if self._dataset is None:
            return self._table if self.names is None else self._table.filter(self._rows(era))
        table = self._dataset.to_table(filter=dataset.field(ERA) == self._rows(era))
        return columns.without_index(table, (ERA, ID, MODEL))

    def _told_apart(self, column: Any) -> tuple[list[str] | None, Any]:
        """The eras as text, and what stands for each: a value of a dataset, the rows of a table."""
        import pyarrow as pa

        keys = None if column is None or column.null_count else columns.era_keys(column)
        if keys is None:
            return None, None
        codes, values = keys[0], [str(each) for each in keys[1].to_pylist()]
        used = sorted({values[code] for code in set(codes.tolist())}, key=_in_order)
        code_of = {value: code for code, value in enumerate(values)}
        if self._dataset is None:
            return used, lambda era: pa.array(codes == code_of.get(era, -1))
        native = dict(zip((values[code] for code in codes.tolist()), column, strict=True))
        return used, lambda era: native.get(era, pa.scalar(None, column.type))


def by_era(path: Path) -> Any:
    """A Parquet file whose eras are whole numbers or text, to be read by them; None for any other."""
    import pyarrow as pa
    from pyarrow import dataset

    if path.suffix.lower() not in (".parquet", ".pq") or not path.is_file():
        return None
    try:
        found = dataset.dataset(path, format="parquet")
        kind = found.schema.field(ERA).type if found.schema.names.count(ERA) == 1 else pa.null()
    except (pa.ArrowException, OSError):
        return None  # who reads it as a whole says what is wrong with it
    readable = pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return found if readable else None


def _in_order(name: str) -> tuple[int, int, bytes]:
    return (0, int(name), b"") if name.lstrip("-").isdecimal() else (1, 0, name.encode())
