"""Submissions as people send them, right and wrong, made by code: name -> (flavour, kind, bytes)."""

from __future__ import annotations

import datetime
import io
import random
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

IDS = list("abcdefgh")
TICKERS = [f"T{i:03}" for i in range(120)]
UNIVERSES = {
    "classic": IDS,
    "signals": {
        "ticker": TICKERS,
        "bloomberg_ticker": [f"{name} US" for name in TICKERS],
        "numerai_ticker": [f"{name}.N" for name in TICKERS],
    },
    "crypto": {"symbol": TICKERS},
}
HEADER = "id,prediction\n"
VALUES = [f"0.{i}" for i in range(1, 9)]
CELLS = (
    *("0.5", ".5", "5e-1", "5E-1", "+.5", "1", "0", "1.", "0.", "-0.0", "00.5", "1e-400", "4e-320", "5.e-1", "0.50"),
    *(" 0.5", "0.5 ", "\t.5", "\v.5", "\f.5", "\u00a0.5", "\u2003.5", '"0.5"', '" 0.5"', "0.1111111111111111111111111"),
    *("1.00000001", "1.00001", "1.0000101", "1.1", "-1e-8", "-1.1e-8", "-0.1", "2", "1e999", "-1e999", "1" * 40),
    *("inf", "-inf", "+inf", "Inf", "INF", "Infinity", "-INFINITY", "infinit", "in", " inf", "inf "),
    *("", "nan", "NaN", "-nan", "-NaN", "NAN", "+nan", " nan", "NA", "N/A", "n/a", "NULL", "null", "None", "none"),
    *("#N/A", "#NA", "<NA>", "1.#IND", "-1.#QNAN", "#N/A N/A", "Null", '""', " ", "  "),
    *(
        "1_0",
        "1_000",
        "0x1",
        "0x.8p0",
        "0b1",
        "1e",
        "1e+",
        "e5",
        ".",
        "+",
        "-",
        "--1",
        "+-1",
        "- 1",
        "1 2",
        "1,",
        "5d-1",
    ),
    *("\uff10.\uff15", "\u0660.\u0665", "½", "50%", "$0.5", "0.5f", "0,5", '"0,5"', "abc", "'0.5'", "=1/2"),
    *("True", "false", "yes", "1/2", "2020-01-01", "0.5;", "[0.5]", "1.5.2", "0.5\u200b"),
)
"""Spellings of a prediction."""
NAMES = (
    *("A", " a", "a ", '"a"', "\u0430", "a\u200b", "\uff41", "nan", "NA", "", '""', " ", "None", "x", "b", "../a"),
    *("=a", "a'", '"a""', "0", "1e3", "a\u0301", "..", "a/b", "C:\\a", "a\u2028b", "a\x85b", "TRUE"),
)
"""Spellings of an id in the place of the first."""


def rows(ids=IDS, values=VALUES):
    return "".join(f"{name},{value}\n" for name, value in zip(ids, values, strict=True))


def of_cells():
    """Every spelling of a prediction, at an id of the round and at one that is not in it."""
    for cell in CELLS:
        yield f"cell {cell!r}", "classic", "csv", HEADER + rows(IDS[1:], VALUES[1:]) + f"a,{cell}\n"
        yield f"cell {cell!r} of an unknown id", "classic", "csv", HEADER + rows() + f"x,{cell}\n"


def of_names():
    """Every spelling of an id, instead of one of the round and beside all of them."""
    for name in NAMES:
        yield f"id {name!r}", "classic", "csv", HEADER + f"{name},0.1\n" + rows(IDS[1:], VALUES[1:])
        yield f"id {name!r} besides", "classic", "csv", HEADER + rows() + f"{name},0.9\n"


def of_text():
    """Layouts of a CSV."""
    good = HEADER + rows()
    yield from (
        (f"text {name}", "classic", "csv", text)
        for name, text in {
            "good": good,
            "without an end": good[:-1],
            "crlf": good.replace("\n", "\r\n"),
            "cr": good.replace("\n", "\r"),
            "cr cr lf": good.replace("\n", "\r\r\n"),
            "mixed": good.replace("\n", "\r\n", 3).replace("c,", "\rc,"),
            "bom": "\ufeff" + good,
            "two boms": "\ufeff\ufeff" + good,
            "utf-16": good.encode("utf-16"),
            "latin-1": good.encode() + "ü,0.5\n".encode("latin-1"),
            "blank lines": "\n\n" + good.replace("\n", "\n\n"),
            "lines of spaces": "  \n" + good.replace("\n", "\n \t \n"),
            "line of a comma": good + ",\n",
            "line of quotes": good + '""\n',
            "all quoted": "".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"\n' for line in good.splitlines()),
            "quote inside": good + 'x"y,0.5\n',
            "quoted and more": good + '"x"y,0.5\n',
            "quoted id and more": HEADER + '"a"b,0.5\n' + rows(IDS[1:], VALUES[1:]),
            "space after quotes": good + '"x" ,0.5\n',
            "doubled quotes": good + '"x""y",0.5\n',
            "open quote": good + '"x,0.5\n',
            "open quote before": HEADER + '"x,0.5\n' + rows(),
            "open quote of a value": good + 'x,"0.5\n',
            "line end in quotes": good + '"x\ny",0.5\n',
            "nothing": "",
            "blank": "\n\n",
            "only a header": HEADER,
            "only a header without an end": HEADER[:-1],
            "short row": good + "x\n",
            "short row of an id": HEADER + "a\n" + rows(IDS[1:], VALUES[1:]),
            "long row": good + "x,0.5,1\n",
            "long row of nothing": good + "x,0.5,\n",
            "semicolons": good.replace(",", ";"),
            "tabs": good.replace(",", "\t"),
            "comment": "# mine\n" + good,
            "sep line": "sep=,\n" + good,
            "header twice": HEADER + good,
            "index": "," + HEADER + "".join(f"{i},{line}\n" for i, line in enumerate(rows().splitlines())),
            "index without a name": HEADER + "".join(f"{i},{line}\n" for i, line in enumerate(rows().splitlines())),
            "trailing commas": good.replace("\n", ",\n"),
            "trailing commas below": HEADER + rows().replace("\n", ",\n"),
            "backslash": good + '\\"x,0.5\n',
            "nul in an id": good + "x\0,0.5\n",
            "nul at the end": good + "\0",
            "json": '[{"id": "a", "prediction": 0.5}]',
            "html": "<html><body>id,prediction</body></html>",
            "permuted": HEADER + "".join(sorted(rows().splitlines(keepends=True), reverse=True)),
            "missing id": HEADER + rows(IDS[1:], VALUES[1:]),
            "duplicate": good + "a,0.1\n",
            "duplicate unknown": good + "x,0.1\nx,0.2\n",
            "duplicate for another": HEADER + "b,0.9\n" + rows(IDS[1:], VALUES[1:]),
            "constant": HEADER + rows(values=["0.5"] * 8),
            "nearly constant": HEADER + rows(values=["0.5"] * 7 + ["0.50000002"]),
            "hardly constant": HEADER + rows(values=["0.5"] * 7 + ["0.50000004"]),
            "constant but for unknown": HEADER + rows(values=["0.5"] * 8) + "x,0.9\n",
            "zeros and ones": HEADER + rows(values=["0", "1"] * 4),
            "truths": HEADER + rows(values=["True", "false"] * 4),
            "truths in capitals": HEADER + rows(values=["TRUE", "fAlSe"] * 4),
            "truths and nothing": HEADER + rows(values=["True", ""] * 4),
            "truths and nothing unknown": HEADER + rows(values=["True", "False"] * 4) + "x,\n",
            "truths and a number": HEADER + rows(values=["True", "False"] * 3 + ["True", "0.5"]),
            "truths alike": HEADER + rows(values=["True"] * 8),
            "all missing": HEADER + rows(values=[""] * 8),
            "below and above": HEADER + rows(values=["-1e-9", "1.000001", *VALUES[2:]]),
            "many wrongs": HEADER + ",0.5\na,7\na,\nb,0.5\n",
        }.items()
    )


def of_headers():
    """Names and orders of columns."""
    for names in (
        *("id,prediction", "id,probability", "ID,prediction", "id, prediction", "prediction,id", "id,pred"),
        *("id", "id,prediction,prediction", "id,id", "id,prediction,era", "ticker,signal", '"id","prediction"'),
        *("id,signal", "id,prediction,", "Id,Prediction", "id,probability_kazutsugi"),
    ):
        n = len(names.split(","))
        body = "".join(
            ",".join([name, value, "0.3", "0.4"][:n]) + "\n" for name, value in zip(IDS, VALUES, strict=True)
        )
        yield f"header {names}", "classic", "csv", f"{names}\n{body}"


def of_tickers():
    """The two tournaments whose ids come in kinds, with columns that are set aside."""
    kinds = {
        "ticker": TICKERS,
        "bloomberg_ticker": UNIVERSES["signals"]["bloomberg_ticker"],
        "numerai_ticker": UNIVERSES["signals"]["numerai_ticker"],
        "sedol": TICKERS,
        "cusip": TICKERS,
        "symbol": TICKERS,
        "bloomberg_ticker of the wrong kind": TICKERS,
    }
    for flavour in ("signals", "crypto"):
        for kind, names in kinds.items():
            for predicted in ("signal", "prediction", "probability"):
                table = {kind.split()[0]: names, predicted: np.linspace(0.01, 0.99, 120)}
                yield f"{flavour} {kind} {predicted}", flavour, "csv", pd.DataFrame(table).to_csv(index=False)
        name = "ticker" if flavour == "signals" else "symbol"
        for n in (0, 1, 99, 100, 101):
            table = pd.DataFrame({name: TICKERS[:n], "signal": np.linspace(0.01, 0.99, n)})
            yield f"{flavour} of {n}", flavour, "csv", table.to_csv(index=False)
        unknown = pd.DataFrame({name: [f"U{i}" for i in range(200)] + TICKERS[:100], "signal": 0.5}).assign(
            signal=lambda table: np.where(table.index < 200, 7, table.index / 400)
        )
        yield f"{flavour} and unknown", flavour, "csv", unknown.to_csv(index=False)
    table = pd.DataFrame({"ticker": TICKERS, "signal": np.linspace(0.01, 0.99, 120)})
    for first in ("data_type", "date", "friday_date"):
        for place in (0, 1, 2):
            wider = table.copy()
            wider.insert(place, first, "live" if first == "data_type" else 20200103)
            yield f"signals with {first} at {place}", "signals", "csv", wider.to_csv(index=False)
            yield f"signals parquet with {first} at {place}", "signals", "parquet", parquet(wider)
    both = table.assign(date=20200103, friday_date=20200103)
    yield "signals with both dates", "signals", "csv", both.to_csv(index=False)
    yield "signals with all", "signals", "csv", table.assign(data_type="live", date="").to_csv(index=False)


def parquet(table):
    """The bytes of a frame or an Arrow table as Parquet."""
    file = io.BytesIO()
    if isinstance(table, pd.DataFrame):
        table.to_parquet(file)
    else:
        pq.write_table(table, file)
    return file.getvalue()


def of_types():
    """Types of Parquet columns."""
    ids, values = pa.array(IDS), pa.array([float(value) for value in VALUES])
    halves = [Decimal(value) for value in VALUES]
    for name, column in {
        "plain": values,
        "float32": values.cast(pa.float32()),
        "float16": pa.array(np.array(VALUES, np.float16)),
        "dictionary": values.dictionary_encode(),
        "int": pa.array([0, 1] * 4),
        "uint8": pa.array([0, 1] * 4, pa.uint8()),
        "int out of range": pa.array([0, 2] * 4),
        "bool": pa.array([True, False] * 4),
        "bool and null": pa.array([True, None] * 4),
        "null": pa.nulls(8),
        "a null": pa.array([None, *values[1:].to_pylist()], pa.float64()),
        "a nan": pa.array([float("nan"), *values[1:].to_pylist()]),
        "an inf": pa.array([float("inf"), *values[1:].to_pylist()]),
        "int and null": pa.array([0, None] * 4),
        "decimal": pa.array(halves),
        "text": pa.array(VALUES),
        "timestamp": pa.array(range(8), pa.timestamp("s")),
        "duration": pa.array(range(8), pa.duration("s")),
        "time": pa.array(range(8), pa.time32("s")),
        "date": pa.array([datetime.date(2020, 1, 1)] * 8),
        "list": pa.array([[0.1]] * 8),
        "struct": pa.array([{"x": 0.1}] * 8),
        "binary": pa.array([b"0.1"] * 8),
    }.items():
        yield f"parquet values {name}", "classic", "parquet", parquet(pa.table({"id": ids, "prediction": column}))
    for name, column in {
        "large": ids.cast(pa.large_string()),
        "view": ids.cast(pa.string_view()),
        "dictionary": ids.dictionary_encode(),
        "binary": ids.cast(pa.binary()),
        "int": pa.array(range(8)),
        "float": pa.array(map(float, range(8))),
        "null": pa.nulls(8),
        "a null": pa.array([None, *IDS[1:]]),
        "a null in a dictionary": pa.array([None, *IDS[1:]]).dictionary_encode(),
        "text nan": pa.array(["nan", *IDS[1:]]),
        "list": pa.array([[name] for name in IDS]),
        "date": pa.array([datetime.date(2020, 1, 1)] * 8),
    }.items():
        yield f"parquet ids {name}", "classic", "parquet", parquet(pa.table({"id": column, "prediction": values}))
    frame = pd.DataFrame({"id": IDS, "prediction": np.linspace(0.1, 0.8, 8)})
    for name, table in {
        "frame": frame,
        "shuffled frame": frame.iloc[::-1],
        "index of its own": frame.set_index(pd.Index(range(10, 18), name="row")),
        "id as index": frame.set_index("id"),
        "id as index and column": frame.set_index("id", drop=False),
        "no rows": frame[:0],
        "three columns": frame.assign(era="0001"),
        "other order": frame[["prediction", "id"]],
        "and unknown": pd.concat([frame, frame.assign(id="x", prediction=7.0)]),
        "duplicate": pd.concat([frame, frame[:1]]),
    }.items():
        yield f"parquet {name}", "classic", "parquet", parquet(table)


def of_chance(n, seed=7):
    """Files in which several things are changed at random, but no row is longer than the header."""
    cells = [cell for cell in CELLS if "," not in cell or cell.startswith('"')]
    rng = random.Random(seed)
    for number in range(n):
        ids = [rng.choice([name, name, name, name, rng.choice(NAMES)]) for name in IDS] + rng.choices(NAMES, k=2)
        mostly = rng.random() < 0.5
        values = [rng.choice(VALUES if mostly or rng.random() < 0.8 else cells) for _ in ids]
        lines = [f"{name},{value}" for name, value in zip(ids, values, strict=True)]
        lines += [line for line in lines if rng.random() < 0.1]
        rng.shuffle(lines)
        ends = rng.choice(["\n", "\n", "\r\n", "\r"])
        yield f"chance {number}", "classic", "csv", ends.join([HEADER[:-1], *lines, ""])


def numbers_as_ids():
    """Rounds whose ids look like something else: (name, universe, bytes)."""
    for universe in (["12", "7"], ["0012", "7"], ["1.50", "2.25"], ["TRUE", "false"], ["NA", "b"], ["1e5", "2"], ["a"]):
        text = HEADER + "".join(f"{name},0.{i + 1}\n" for i, name in enumerate(universe))
        yield f"ids {universe}", universe, text.encode()


GROUPS = {
    "cells": of_cells,
    "names": of_names,
    "text": of_text,
    "headers": of_headers,
    "tickers": of_tickers,
    "types": of_types,
    "chance": lambda: of_chance(100),
}


def submissions(group):
    """The files of a group: name, flavour, kind, bytes."""
    for name, flavour, kind, content in GROUPS[group]():
        yield name, flavour, kind, content.encode() if isinstance(content, str) else content
