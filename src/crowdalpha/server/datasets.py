"""Files to work with: what the operator has put into a folder, and the ids and features of every round that has opened.

datasets/...           in the tournament's folder, under any name
live_12.parquet        the ids of round 12, one row an id, with its features if it has any
live.parquet           the same of the newest round that has opened
"""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from secrets import token_hex

from crowdalpha.engine.desk import features_name
from crowdalpha.server.callers import Caller
from crowdalpha.server.office import Office, found
from crowdalpha.server.rounds import Rounds
from crowdalpha.tournament.evidence import features_of
from crowdalpha.tournament.rounds import Round

FOLDER, MADE = "datasets", "live"
"""Where the operator puts files, and where those are kept that are made of rounds; both in the tournament's folder."""
LIVE = "live.parquet"


class Datasets:
    """Verbs about files to work with: all are public."""

    def __init__(self, office: Office) -> None:
        self._office, self._rounds = office, Rounds(office)
        self._given, self._made = office.settings.folder / FOLDER, office.settings.folder / MADE

    def names(self, who: Caller, round: int | None = None) -> list[str]:
        """The names of all files, by name; with a round, that round's instead of those of all."""
        opened = self._opened(who)
        rounds = [one for one in opened if round is None or one.number == round]
        made = [live_name(one) for one in rounds] + ([LIVE] if rounds else [])
        return sorted({*self._operators(), *made})

    def file(self, who: Caller, name: str, round: int | None = None) -> Path:
        """Where a file is; `unknown` if there is none of that name. It is made first if it is a round's."""
        opened = self._opened(who)
        wanted = {live_name(one): one for one in opened}
        newest = [one for one in opened if round is None or one.number == round]
        if newest:
            wanted[LIVE] = max(newest, key=lambda one: one.number)
        if name in self._operators():
            return self._given / name
        return self._live(found(wanted.get(name), "dataset", name))

    def fingerprint(self, who: Caller, name: str, round: int | None = None) -> tuple[int, str]:
        """The size of a file and its SHA-256."""
        path = self.file(who, name, round)
        state = path.stat()
        return state.st_size, _digest(path, state.st_size, state.st_mtime_ns)

    def _opened(self, who: Caller) -> list[Round]:
        return [state.round for state in self._rounds.all(who) if state.round.open_time <= who.now]

    def _operators(self) -> set[str]:
        """The files of the operator: none that is hidden, or that a link only points to."""
        paths = self._given.rglob("*") if self._given.is_dir() else ()
        plain = [path for path in paths if path.is_file() and not path.is_symlink()]
        names = [path.relative_to(self._given) for path in plain]
        return {name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts)}

    def _live(self, round: Round) -> Path:
        """The file of a round, whole or not at all. It never changes: a round is what it was announced as."""
        path = self._made / f"{round.number}-{round.universe[:16]}-{round.features[:16]}.parquet"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{token_hex(4)}.part")
            self._write(round, part)
            os.replace(part, path)
        return path

    def _write(self, round: Round, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        engine = self._office.engine
        columns: dict[str, object] = {"id": engine.universe(round)}
        if round.features:
            content = engine.files.read(features_name(round))
            columns |= _columns(content, len(columns["id"]))  # type: ignore[arg-type]
        pq.write_table(pa.table(columns), path)


@lru_cache(maxsize=1000)
def _digest(path: Path, size: int, changed: int) -> str:
    """The SHA-256 of a file, read once for as long as it is the same."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def live_name(round: Round) -> str:
    """What the file of a round is called."""
    return f"live_{round.number}.parquet"


def _columns(content: bytes, n_ids: int) -> dict[str, object]:
    """The features by their names, in the order of the ids."""
    import json

    values = features_of(content, n_ids)
    names = json.loads(content.partition(b"\n")[0])
    return {} if values is None else {name: values[:, k] for k, name in enumerate(names)}
