"""Files that nobody means well with, each made cheaply by code: name -> (the rule it breaks, its bytes)."""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import lzma
import pickle
import random
import zipfile
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption
import thrift

IDS = [f"n{i:02}" for i in range(20)]
HEADER = "id,prediction\n"
GOOD = HEADER + "".join(f"{name},0.{i + 10}\n" for i, name in enumerate(IDS))
MILLION = 1_000_000


def wrappings():
    """Formats that are not read at all."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../submission.csv", GOOD)
    table = pa.table({"id": IDS, "prediction": np.linspace(0, 1, 20)})
    arrow, stream = io.BytesIO(), io.BytesIO()
    with pa.ipc.new_file(arrow, table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    array = io.BytesIO()
    np.save(array, np.ones(3))
    return {
        "gzip": ("packed", gzip.compress(GOOD.encode())),
        "gzip bomb": ("packed", gzip.compress(bytes(50 * MILLION), 1)),
        "bzip2": ("packed", bz2.compress(GOOD.encode())),
        "xz": ("packed", lzma.compress(GOOD.encode())),
        "zip with a path": ("packed", packed.getvalue()),
        "empty zip": ("packed", b"PK\x05\x06" + bytes(18)),
        "zstandard": ("packed", pa.compress(GOOD.encode(), "zstd", asbytes=True)),
        "lz4": ("packed", pa.compress(GOOD.encode(), "lz4", asbytes=True)),
        "7z": ("packed", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24)),
        "rar": ("packed", b"Rar!\x1a\x07\0" + bytes(24)),
        "arrow file": ("format", arrow.getvalue()),
        "arrow stream": ("text", stream.getvalue()),
        "feather": ("format", b"FEA1" + bytes(100) + b"FEA1"),
        "pickle": ("format", pickle.dumps({"id": IDS})),
        "pickle of old": ("headers", b"cos\nsystem\n(S'true'\ntR."),
        "numpy": ("format", array.getvalue()),
        "sqlite": ("format", b"SQLite format 3\0" + bytes(84)),
        "hdf5": ("format", b"\x89HDF\r\n\x1a\n" + bytes(88)),
        "avro": ("format", b"Obj\x01" + bytes(20)),
        "pdf": ("format", b"%PDF-1.7\n"),
        "program": ("format", b"\x7fELF" + bytes(60)),
        "orc": ("headers", b"ORC\n" + bytes(60)),
        "json": ("headers", b'{"id": ["a"], "prediction": [0.5]}'),
        "deep json": ("line", b"[" * MILLION),
        "html": ("headers", b"<!doctype html>\n<script>alert(1)</script>"),
    }


def texts():
    """CSV files that are too much, or not text, or not numbers."""
    rows = GOOD[len(HEADER) :]
    rng = random.Random(0)
    files = {
        "nothing": ("nothing", ""),
        "20 MB and one byte": ("large", bytes(20 * MILLION + 1)),
        "utf-16": ("text", GOOD.encode("utf-16")),
        "utf-16 without a mark": ("text", GOOD.encode("utf-16-le")),
        "utf-32": ("text", GOOD.encode("utf-32")),
        "latin-1": ("text", GOOD.encode() + "ü,0.5\n".encode("latin-1")),
        "surrogates": ("text", GOOD.encode() + "\ud800,0.5\n".encode("utf-8", "surrogatepass")),
        "overlong utf-8": ("text", GOOD.encode() + b"\xc0\xaf,0.5\n"),
        "nul": ("text", GOOD + "x\0,0.5\n"),
        "only nul": ("line", bytes(MILLION)),
        "noise": ("text", b"\xe9" + rng.randbytes(100_000)),
        "a million columns": ("line", ",".join(["c"] * MILLION) + "\n" + rows),
        "two thousand columns": ("headers", ",".join(["c"] * 2000) + "\n" + rows),
        "one line of 15 MB": ("line", HEADER + "a" * (15 * MILLION)),
        "one header of 15 MB": ("line", "a" * (15 * MILLION)),
        "15 MB of quotes": ("line", HEADER + '"' * (15 * MILLION)),
        "15 MB of lines in quotes": ("quote", HEADER + '"' + "a\n" * (7 * MILLION)),
        "open quote": ("quote", GOOD + '"x,0.5\n'),
        "15 MB of empty lines": ("rows", HEADER + "\n" * (15 * MILLION)),
        "15 MB of carriage returns": ("rows", HEADER + "\r" * (15 * MILLION)),
        "15 MB of commas": ("fields", HEADER + (",,,,,,,\n" * (2 * MILLION))),
        "one row too many": ("rows", HEADER + "x,0.5\n" * 20_001),
        "two million rows": ("rows", HEADER + "x,0.5\n" * (2 * MILLION)),
        "long id": ("id_long", GOOD + "x" * 65 + ",0.5\n"),
        "two thousand fields": ("fields", GOOD + "x" + ",0.5" * 900 + "\n"),
        "longest numbers": ("range", HEADER + "".join(f"{name},{'9' * 4000}\n" for name in IDS)),
        "longest fractions": ("spread", HEADER + "".join(f"{name},0.{'9' * 4000}\n" for name in IDS)),
        "20 MB of digits": (
            "range",
            HEADER + "".join(f"{name},{'9' * 4000}\n" for name in IDS) + f"x,{'9' * 4000}\n" * 4900,
        ),
        "formulas": ("too_few", HEADER + "".join(f'"=HYPERLINK(""{name}"")",0.5\n' for name in IDS)),
        "paths": ("too_few", HEADER + "".join(f"../../{name},0.5\n" for name in IDS)),
        "look-alikes": ("too_few", GOOD.replace("n0", "\u0578" + "0")),
        "full width": ("too_few", GOOD.replace("n0", "\uff4e0")),
        "invisible": ("too_few", GOOD.replace("n0", "n\u200b0")),
        "right to left": ("too_few", GOOD.replace("n0", "\u202e0n")),
        "duplicates": ("id_twice", GOOD + rows),
        "no ids": ("id_missing", GOOD + ",0.5\n"),
        "nan": ("missing", GOOD.replace("0.12", "nan")),
        "inf": ("range", GOOD.replace("0.12", "-inf")),
        "1e999": ("range", GOOD.replace("0.12", "1e999")),
        "huge exponent": ("range", GOOD.replace("0.12", "1e" + "9" * 3000)),
        "underscores": ("numeric", GOOD.replace("0.12", "1_000")),
        "hexadecimal": ("numeric", GOOD.replace("0.12", "0x1p-3")),
        "digits of elsewhere": ("numeric", GOOD.replace("0.12", "\u0660.\u0661")),
        "out of range": ("range", GOOD.replace("0.12", "12")),
        "constant": ("spread", HEADER + "".join(f"{name},0.5\n" for name in IDS)),
        "regular expression": ("numeric", HEADER + "".join(f"{name},{'1' * 4000}x\n" for name in IDS)),
    }
    return {name: (rule, each if isinstance(each, bytes) else each.encode()) for name, (rule, each) in files.items()}


def table(n=20):
    """A good submission of any length."""
    return pa.table({"id": [f"n{i:02}" for i in range(n)], "prediction": np.linspace(0.01, 0.99, n)})


def parquet(table, **options):
    """The bytes of an Arrow table as Parquet."""
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def forged(change, content=None):
    """A good file whose metadata tell lies."""
    content = content or parquet(table())
    struct = copy.deepcopy(thrift.footer(content))
    change(struct)
    return thrift.with_footer(content, struct)


def put(struct, value, *path):
    """Set a field of nested structs and lists; a field keeps its type."""
    *steps, last = path
    for step in steps:
        struct = struct[1][step] if isinstance(struct, tuple) else struct[step][1]
    struct[last] = (struct[last][0], value)


COLUMN = (4, 0, 1, 0)
"""The way to the first column of the first row group, in `put` without its own fields."""


def _setting(value, *path):
    return lambda struct: put(struct, value, *path)


def _of_column(value, *path, column=0):
    """A lie about a column chunk: its metadata are field 3."""

    def change(struct):
        chunk = struct[4][1][1][0][1][1][1][column]
        put(chunk, value, *path)

    return change


def _repeated(times, rows, strings=None):
    """The same row group many times over: a small file that truly has as many rows as it says."""
    content = parquet(strings or table(rows), compression="zstd")

    def change(struct):
        groups = struct[4][1][1]
        struct[4] = (thrift.LIST, (thrift.STRUCT, groups * times))
        put(struct, rows * times, 3)

    return forged(change, content)


def _page(column, **fields):
    """A file in which the first page of a column says something else about itself."""
    content = parquet(table(), use_dictionary=False, compression="zstd")
    struct = thrift.footer(content)
    chunk = struct[4][1][1][0][1][1][1][column][3][1]
    at = chunk[9][1]
    page, end = thrift.read(content, at)
    for name, value in fields.items():
        if name == "values":
            put(page, value, 5, 1)
        else:
            put(page, value, {"uncompressed": 2, "compressed": 3}[name])
    written = thrift.write(page)
    assert len(written) >= end - at or "compressed" not in fields
    grown = len(written) - (end - at)
    body = content[:at] + written + content[end:]

    def change(struct):
        for each in struct[4][1][1][0][1][1][1]:
            if each[3][1][9][1] > at:
                put(each, each[3][1][9][1] + grown, 3, 9)
        put(struct[4][1][1][0][1][1][1][column], chunk[7][1] + grown, 3, 7)

    return forged(change, body)


def _deep(levels):
    """A schema of groups in groups."""

    def change(struct):
        root, leaf, value = struct[2][1][1]
        group = {3: (thrift.I32, 0), 4: (thrift.BINARY, b"id"), 5: (thrift.I32, 1)}
        struct[2] = (thrift.LIST, (thrift.STRUCT, [root, *[group] * levels, leaf, value]))

    return forged(change)


def _encrypted(plaintext_footer):
    """A file encrypted with keys that are not here."""

    class Keys(encryption.KmsClient):
        def __init__(self, config):
            encryption.KmsClient.__init__(self)

        def wrap_key(self, key, name):
            return key

        def unwrap_key(self, key, name):
            return key

    factory = encryption.CryptoFactory(Keys)
    settings = encryption.EncryptionConfiguration(
        footer_key="f",
        column_keys={"c": ["prediction"]},
        plaintext_footer=plaintext_footer,
        double_wrapping=False,
    )
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), settings)
    file = io.BytesIO()
    with pq.ParquetWriter(file, table().schema, encryption_properties=properties) as writer:
        writer.write_table(table())
    return file.getvalue()


def _strings(n, length):
    """So many ids that are all one string of such a length, which stands in the file once."""
    ids = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array(["x" * length]))
    return pa.table({"id": ids, "prediction": np.linspace(0, 1, n)})


def types():
    """Parquet files of columns that are no ids and predictions."""
    ids, values = table()["id"], table()["prediction"]
    kinds = {
        "nested ids": ("id_type", [[name] for name in IDS], values),
        "struct ids": ("id_type", [{"id": name} for name in IDS], values),
        "float ids": ("id_type", np.arange(20.0), values),
        "truths as ids": ("id_type", [True] * 20, values),
        "fixed bytes as ids": ("id_type", pa.array([b"n00"] * 20, pa.binary(3)), values),
        "null ids": ("id_missing", pa.nulls(20), values),
        "ids that are not utf-8": ("damaged", pa.array([b"\xff"] * 20, pa.binary()), values),
        "nested predictions": ("numeric", ids, [[0.5]] * 20),
        "mapped predictions": ("numeric", ids, pa.array([[("a", 0.5)]] * 20, pa.map_(pa.string(), pa.float64()))),
        "decimal predictions": ("numeric", ids, [Decimal("0.5")] * 20),
        "null predictions": ("missing", ids, pa.nulls(20)),
        "text predictions": ("numeric", ids, ["0.5"] * 20),
        "times as predictions": ("numeric", ids, pa.array(range(20), pa.timestamp("s"))),
        "nan predictions": ("missing", ids, [float("nan")] * 20),
        "infinite predictions": ("range", ids, [float("inf")] * 20),
    }
    return {name: (rule, parquet(pa.table({"id": i, "prediction": v}))) for name, (rule, i, v) in kinds.items()} | {
        "duplicate columns": (
            "headers",
            parquet(pa.Table.from_arrays([ids, values, values], ["id", "prediction", "id"])),
        ),
        "one column": ("headers", parquet(pa.table({"id": IDS}))),
        "no columns": ("headers", parquet(pa.table({}))),
        "no rows": ("too_few", parquet(table(0))),
        "formulas as names": ("headers", parquet(pa.table({"=cmd|'/c calc'!A1": IDS, "../../prediction": values}))),
    }


def forgeries():
    """Parquet files that are broken, lie, or grow without end."""
    good = parquet(table())
    wide = pa.table({f"c{i}": [0.0] for i in range(3000)})
    deep = b'{"index_columns": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    huge = 500 * MILLION
    return {
        "two marks and nothing": ("damaged", b"PAR1PAR1"),
        "marks around zeros": ("damaged", b"PAR1" + bytes(100) + b"PAR1"),
        "cut off": ("damaged", good[:-10]),
        "cut in the middle": ("damaged", good[:100] + good[-300:]),
        "footer longer than the file": ("damaged", good[:-8] + b"\xff\xff\xff\x7fPAR1"),
        "footer of negative length": ("damaged", good[:-8] + b"\xff\xff\xff\xffPAR1"),
        "large footer": ("costly", forged(_setting(b"x" * 2 * MILLION, 6))),
        "noise as footer": ("damaged", good[:-40] + bytes(range(200, 232)) + good[-8:]),
        "encrypted": ("encrypted", _encrypted(False)),
        "encrypted columns": ("costly", _encrypted(True)),
        "three thousand columns": ("headers", parquet(wide)),
        "fifty thousand columns": ("damaged", _wide(50_000)),
        "five hundred million rows, it says": ("rows", forged(_setting(huge, 3))),
        "five hundred million rows": ("rows", _repeated(500, MILLION, _constant(MILLION))),
        "negative rows": ("damaged", forged(_setting(-1, 3))),
        "fewer rows than groups hold": ("damaged", forged(_setting(5, 3))),
        "more values than rows": ("damaged", forged(_of_column(huge, 3, 5))),
        "negative values": ("damaged", forged(_of_column(-5, 3, 5))),
        "a page of more values": ("damaged", _page(1, values=huge)),
        "a page of negative values": ("damaged", _page(1, values=-20)),
        "a page of two gigabytes": ("costly", _page(1, uncompressed=2**31 - 1)),
        "a page of negative size": ("damaged", _page(1, uncompressed=-1)),
        "sizes of a terabyte": ("costly", forged(_of_column(2**40, 3, 6))),
        "negative sizes": ("damaged", forged(_of_column(-(2**40), 3, 7))),
        "offset beyond the file": ("damaged", forged(_of_column(2**40, 3, 9))),
        "negative offset": ("damaged", forged(_of_column(-100, 3, 9))),
        "unknown codec": ("damaged", forged(_of_column(99, 3, 4))),
        "wrong codec": ("damaged", forged(_of_column(6, 3, 4))),
        "wrong type": ("damaged", forged(_of_column(1, 3, 1, column=1))),
        "too many children": ("damaged", forged(lambda struct: put(struct[2][1][1][0], 1000, 5))),
        "negative children": ("damaged", forged(lambda struct: put(struct[2][1][1][0], -1, 5))),
        "five thousand levels": ("damaged", _deep(5000)),
        "a terabyte of one string": (
            "id_long",
            parquet(_strings(20_000, 10 * MILLION), compression="zstd", store_schema=False),
        ),
        "a gigabyte of one string": ("costly", _repeated(900, 20, _strings(20, 10 * MILLION))),
        "zstd bomb": ("costly", _bomb(120)),
        "zstd bomb that lies": ("costly", _bomb(120, lies=True)),
        "two thousand row groups": ("groups", _repeated(2000, 1)),
        "six thousand row groups": ("costly", _repeated(6000, 1)),
        "index that is no JSON": ("damaged", _about(b"\xff{")),
        "index of deep JSON": ("damaged", _about(deep)),
        "schema of noise": ("damaged", _about(b"AAAA", b"ARROW:schema")),
    }


def _wide(columns):
    """Metadata of very many columns, of which none exists."""

    def change(struct):
        root, leaf, _ = struct[2][1][1]
        put(root, columns, 5)
        struct[2] = (thrift.LIST, (thrift.STRUCT, [root, *[leaf] * columns]))

    return forged(change)


def _constant(n):
    """A column of one string and one of one number, which take next to nothing."""
    ids = pa.DictionaryArray.from_arrays(np.zeros(n, np.int8), pa.array(["x"]))
    return pa.table({"id": ids, "prediction": np.zeros(n)})


def _bomb(megabytes, lies=False):
    """Strings of a megabyte that differ in their ends, packed a thousandfold; their sizes may be lied about."""
    ids = [f"{'x' * MILLION}{i}" for i in range(megabytes)]
    content = parquet(
        pa.table({"id": ids, "prediction": np.zeros(megabytes)}),
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
    )
    return forged(_of_column(1000, 3, 6), content) if lies else content


def _about(text, key=b"pandas"):
    """A file with something else in its key-value metadata."""

    def change(struct):
        struct[5] = (thrift.LIST, (thrift.STRUCT, [{1: (thrift.BINARY, key), 2: (thrift.BINARY, text)}]))

    return forged(change)
