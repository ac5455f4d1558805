"""The door for uploads: bytes in, a small Arrow table or coded refusals out. What is in them can harm nobody.

The parent looks at size, magic bytes and the length of a footer, and parses nothing. All else happens in a process of
its own (`reading.py`) with limits on memory and time set by the kernel, with no descriptor, no environment and no
file but the upload. Names of files play no part.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np

from crowdalpha.storage.reading import READY
from crowdalpha.tournament import submissions
from crowdalpha.tournament.faults import Fault, broken
from crowdalpha.tournament.submissions import CLASSIC, SubmissionRules, Universe, Upload, Verdict

MAGIC = {
    b"PARE": "encrypted",
    b"\x1f\x8b": "packed",
    b"PK\x03\x04": "packed",
    b"PK\x05\x06": "packed",
    b"BZh": "packed",
    b"\xfd7zXZ": "packed",
    b"\x28\xb5\x2f\xfd": "packed",
    b"\x04\x22\x4d\x18": "packed",
    b"7z\xbc\xaf": "packed",
    b"Rar!": "packed",
    b"ARROW1": "format",
    b"FEA1": "format",
    b"Obj\x01": "format",
    b"\x80": "format",
    b"\x89HDF": "format",
    b"SQLite format 3": "format",
    b"%PDF": "format",
    b"\x7fELF": "format",
    b"\x93NUMPY": "format",
    b"\xff\xfe": "text",
    b"\xfe\xff": "text",
}
"""How files begin that are refused unread, and the rule they break."""
BOOT = (
    "import json, sys; order = json.loads(sys.argv[1]); sys.path[:] = order.pop('path');"
    "from crowdalpha.storage.reading import main; main(order)"
)
ENVIRONMENT = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
LEAST = 160 * 2**20
"""What reading takes besides the file: the libraries, and room for a table."""
KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""All that the process inherits of the environment: no secret of the server is in it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of everything an upload may have.

    `bytes` of the file, `rows` below the header, characters in a `line` of a CSV and in an id, row groups and bytes
    of metadata (`footer`) of a Parquet file; `memory` in bytes, `cpu_seconds` of reading and `seconds` of wall time,
    the start of the process included, for whoever reads it.
    """

    bytes: int = 20_000_000
    rows: int = 20_000
    line: int = 4096
    id_length: int = 64
    row_groups: int = 1000
    footer: int = 2**20
    memory: int = 256 * 2**20
    cpu_seconds: float = 0.5
    seconds: float = 20.0

    def __post_init__(self) -> None:
        if self.memory < self.bytes + LEAST:
            raise ValueError(f"memory must be at least {LEAST} bytes more than bytes")


LIVE = Limits()
"""For the ids of one round."""
DIAGNOSTICS = Limits(bytes=400_000_000, rows=8_000_000, memory=4 * 2**30, cpu_seconds=120, seconds=600)
"""For validation data: many eras at once."""


class IntakeError(RuntimeError):
    """The process that reads uploads could not start. The machine is at fault, not the file."""


def judge(
    content: bytes | os.PathLike[str], universe: Universe, rules: SubmissionRules = CLASSIC, limits: Limits = LIVE
) -> Verdict:
    """The verdict on an upload: its bytes, or the path of a file that holds them. [NT]

    Raises IntakeError if no process could be started to read it.

    >>> judge(b"id,prediction\\na,0.1\\nb,0.9\\n", ["b", "a"]).predictions
    array([0.9, 0.1])
    >>> judge(b"PK\\x03\\x04 a zip", ["b", "a"]).messages
    ('invalid_submission_file: compressed files and archives are not read',)
    """
    kinds = universe.values() if isinstance(universe, Mapping) else [universe]
    known = {name for kind in kinds for name in kind}
    return submissions.check(read(content, rules, limits, known=known), universe, rules)


def read(
    content: bytes | os.PathLike[str],
    rules: SubmissionRules = CLASSIC,
    limits: Limits = LIVE,
    *,
    known: Collection[str] = (),
) -> Upload:
    """The ids and predictions in an upload, or why they cannot be read; for `submissions.check` or `check_eras`.

    Words that stand for a missing cell do not do so if they are `known` ids. Raises IntakeError as `judge` does.
    """
    with _as_file(content) as file:
        kind = _kind(file, limits)
        if isinstance(kind, Fault):
            return Upload(None, (kind,))
        order = asdict(limits) | {"kind": kind, "headers": asdict(rules.headers)}
        order["missing"] = [word for word in rules.missing if word not in known]
        order["path"] = [os.path.abspath(place) for place in sys.path]
        answer, code = _answer_of_process(file, order)
    if code or not answer:
        return Upload(None, (broken("costly", _end(code, limits)),))
    try:
        return from_answer(answer, rules)
    except (ValueError, KeyError, IndexError, TypeError, StopIteration):
        return Upload(None, (broken("damaged", "an answer of its reader that makes no sense"),))


@contextmanager
def _as_file(content: bytes | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file that the process gets as its standard input: one without a name, or the one that is there already."""
    if not isinstance(content, bytes):
        with open(content, "rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        yield file


def _kind(file: BinaryIO, limits: Limits) -> str | Fault:
    """Whether a file is a CSV or Parquet, by how it begins and ends, or why it is not worth a process."""
    size = os.fstat(file.fileno()).st_size
    if not size:
        return broken("nothing", "0 bytes")
    if size > limits.bytes:
        return broken("large", f"{size} bytes", limit=limits.bytes)
    head = file.read(16)
    file.seek(max(size - 8, 0))
    tail = file.read(8)
    file.seek(0)
    for magic, rule in MAGIC.items():
        if head.startswith(magic):
            return broken(rule, f"a file that begins with {magic!r}")
    if not head.startswith(b"PAR1"):
        return "csv"
    if tail[4:] == b"PARE":
        return broken("encrypted", "an encrypted footer")
    footer = int.from_bytes(tail[:4], "little")
    if size < 12 or tail[4:] != b"PAR1" or footer > size - 12:
        return broken("damaged", f"an end of {tail!r}")
    return "parquet" if footer <= limits.footer else broken("costly", f"{footer} bytes of metadata")


def _answer_of_process(file: BinaryIO, order: dict[str, Any]) -> tuple[bytes, int]:
    """What the limited process says after it is ready, and its exit code (negative: the signal it died of)."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | ENVIRONMENT
    command = [sys.executable, "-I", "-S", "-c", BOOT, json.dumps(order)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=file, stdout=out, stderr=errors, env=environment, cwd=os.sep)
        deadline = threading.Timer(order["seconds"], process.kill)
        deadline.start()
        try:
            code = process.wait()
        finally:
            deadline.cancel()
            process.kill()
            process.wait()
        out.seek(0)
        errors.seek(0)
        answer = out.read()
        if not answer.startswith(READY):
            said = errors.read(2000).decode(errors="replace")
            raise IntakeError(f"the reader of uploads did not start (exit code {code}): {said}")
    return answer.removeprefix(READY), code


def _end(code: int, limits: Limits) -> str:
    if code == -signal.SIGPROF:
        return f"more than {limits.cpu_seconds:g} s of work"
    return "more than the process was allowed" if code < 0 else "a reader that gave up"


def from_answer(answer: bytes, rules: SubmissionRules) -> Upload:
    """The answer of the process as a table; its faults in our words."""
    import pyarrow as pa

    first, _, blocks = answer.partition(b"\n")
    head = json.loads(first)
    if "rule" in head:
        words = {"ids": list(rules.headers.ids), "predictions": list(rules.headers.predictions)} | head["words"]
        return Upload(None, (broken(head["rule"], head["found"], head["row"], **words),))
    cut = iter(np.split(np.frombuffer(blocks, np.uint8), np.cumsum(head["sizes"])))
    rows, (id, prediction, date) = head["rows"], head["columns"]
    lines = next(cut).view(np.int64)
    columns = {id: _text(cut, rows), prediction: pa.array(next(cut).view(np.float64))}
    unread = next(cut).view(np.int64)
    if rules.headers.date_required:
        columns[date] = _text(cut, rows)
    told = dict(head["cells"])
    cells = [(line, told.get(line, "")) for line in lines[unread].tolist()]
    return Upload(pa.table(columns), tuple(submissions.listed("numeric", cells)), lines, unread)


def _text(cut: Iterator[Any], rows: int) -> Any:
    """A column of text from the bytes of `reading.Text`, trusted no further than they can be checked."""
    import pyarrow as pa

    valid, ends, data = next(cut), next(cut), next(cut)
    bits = np.packbits(valid != 0, bitorder="little")
    column = pa.Array.from_buffers(pa.large_string(), rows, [pa.py_buffer(part) for part in (bits, ends, data)])
    column.validate(full=True)
    return column
