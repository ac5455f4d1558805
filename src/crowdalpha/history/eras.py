"""A folder of eras, each ranked once: what is there, and how an era gets there.

    eras/era-7.<core>.<features>.json      an era by its name and its content, with the SHA-256 of each of its files:
         era-7/ranks.<hash>.npy            whole doubled ranks (n_models, n_ids): see `tables.rankfile`
               models.<hash>.arrow         model, stake in whole units; a row a model, in order of their bytes
               ids.<hash>.arrow            id, target; a row an id, in order of their bytes
               features.<hash>.arrow       a column a feature, a row an id; if there are any
    scores/<address>.arrow                 the scores of one era by one rule: see `filling`

Files are never changed: an era is replaced by writing new ones and then its .json, whole or not at all. Names tell what
is in an era, so that a thousand eras are looked through by listing one folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import ArrayLike

from crowdalpha.scoring.arrays import Floats, Whole
from crowdalpha.scoring.bags import whole_units
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.storage.durable import sync_folder
from crowdalpha.tables.rankfile import RankFile, write_ranks

FORMAT = 1
ERAS, ENDING = "eras", ".json"
LONGEST = 150
"""Letters of an era's name that files can be called after."""
CONTENT = 40
"""Digits of a SHA-256 in the name of an era."""
CORE = ("ranks", "models", "ids")
PLAIN = "none"
"""In the place of the features of an era without any."""


@dataclass(frozen=True, slots=True)
class EraName:
    """What the name of an era's .json tells: what it is called, and the hashes of its features and of all else."""

    path: str
    label: int | str
    core: str
    features: str

    @classmethod
    def of(cls, place: str, name: str) -> EraName:
        """The parts of a name, era-<label>.<core>.<features>.json."""
        label, core, features = name.removesuffix(ENDING).removeprefix("era-").rsplit(".", 2)
        number = label.removeprefix("-").isdecimal()
        return cls(f"{place}/{name}", int(label) if number else unquote(label), core, features)

    def open(self) -> PackedEra:
        """The era. Raises InputError, code `not_an_era`, if its .json cannot be read."""
        try:
            with open(self.path, "rb") as file:
                said = json.loads(file.read())
            if said["format"] == FORMAT:
                folder = self.path.removesuffix(f".{self.core}.{self.features}{ENDING}")
                return PackedEra(folder, said["era"], said["n_models"], said["n_ids"], said["files"])
            found = f"format {said['format']}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            found = f"{type(error).__name__}: {error}"
        fix = "pack the era again"
        raise InputError(Problem("not_an_era", f"an era of format {FORMAT}", found, fix, self.path))


@dataclass(frozen=True, slots=True)
class PackedEra:
    """An era on disk. `files` maps what is in each (ranks, models, ids, features) to its SHA-256."""

    folder: str
    label: int | str
    n_models: int
    n_ids: int
    files: dict[str, str]

    def path(self, kind: str) -> Path:
        """Where the ranks, models, ids or features are."""
        return Path(self.folder, f"{kind}.{self.files[kind][:16]}.{'npy' if kind == 'ranks' else 'arrow'}")

    @property
    def ranks(self) -> RankFile:
        """The ranks of all models."""
        try:
            return RankFile.open(self.path("ranks"))
        except FileNotFoundError as error:
            raise InputError(_spoiled(self.path("ranks"))) from error

    @property
    def models(self) -> Any:
        """The names of the models, an Arrow column."""
        return _read(self.path("models")).column("model")

    @property
    def stakes(self) -> Whole:
        """Whole units, (n_models,)."""
        return np.asarray(_read(self.path("models")).column("stake").to_numpy())

    @property
    def target(self) -> Floats:
        """The target, (n_ids,)."""
        return np.asarray(_read(self.path("ids")).column("target").to_numpy())

    @property
    def features(self) -> Floats | None:
        """The features, (n_ids, n_features), if the era has any."""
        if "features" not in self.files:
            return None
        return np.stack([column.to_numpy() for column in _read(self.path("features")).columns], axis=1)

    def spoiled(self) -> list[Problem]:
        """A problem for every file that is not there, or is not what it was."""
        return [_spoiled(self.path(kind)) for kind, digest in self.files.items() if _digest(self.path(kind)) != digest]


def era_names(folder: Path | str) -> list[EraName]:
    """The eras of a history, in order. Raises InputError, code `no_eras`, if there are none."""
    place = str(Path(folder).resolve() / ERAS)  # workers may stand elsewhere
    files = os.listdir(place) if os.path.isdir(place) else []
    found = [EraName.of(place, name) for name in files if name.endswith(ENDING) and not name.startswith(".")]
    if not found:
        fix = "make one with crowdalpha pack"
        raise InputError(Problem("no_eras", "a history of eras", "none", fix, str(folder)))
    eras = {each.label: each for each in found}
    if len(eras) < len(found):  # somebody was killed before deleting what was replaced: the last word counts
        eras = {each.label: each for each in sorted(found, key=lambda each: os.stat(each.path).st_mtime_ns)}
    in_numbers = all(isinstance(label, int) for label in eras)
    return [eras[label] for label in sorted(eras, key=int if in_numbers else lambda label: str(label).encode())]


def packed_eras(folder: Path | str) -> list[PackedEra]:
    """The eras of a history, in order, opened."""
    return [name.open() for name in era_names(folder)]


def write_era(
    folder: Path | str,
    label: int | str,
    columns: Iterable[ArrayLike],
    models: Sequence[str],
    stakes: ArrayLike,
    ids: Sequence[str],
    target: ArrayLike,
    features: Mapping[str, ArrayLike] | None = None,
) -> PackedEra:
    """Put an era into a history, in the place of one of the same name.

    columns: predictions as arrays (n_ids, any number of models) one after the other, of all models in order of their
    bytes; ids likewise. An era that is written again as it was keeps its scores; whoever is killed while
    writing leaves the era that was there.
    """
    import pyarrow as pa

    home = Path(folder).resolve() / ERAS / folder_name(label)
    if not home.exists():
        home.mkdir(parents=True)
        for above in (home.parent, home.parent.parent):
            sync_folder(above)
    units = whole_units(stakes, len(models))
    partial = home / f".{token_hex(8)}.npy"
    write_ranks(partial, columns, len(models), len(ids))
    tables = {
        "models": pa.table({"model": pa.array(models, pa.large_string()), "stake": units}),
        "ids": pa.table({"id": pa.array(ids, pa.large_string()), "target": np.asarray(target, np.float64)}),
    }
    if features:
        tables["features"] = pa.table({name: np.asarray(values, np.float64) for name, values in features.items()})
    files = {"ranks": _named(partial, "ranks")}
    files |= {kind: _written(home, kind, table) for kind, table in tables.items()}
    era = PackedEra(str(home), label, len(models), len(ids), files)
    _announce(era)
    return era


def folder_name(label: int | str) -> str:
    """What the folder of an era is called; a text that looks like a number has its first letter in hexadecimals.

    >>> folder_name(7), folder_name("7"), folder_name("2024/w1")
    ('era-7', 'era-%37', 'era-2024%2Fw1')
    """
    name = quote(str(label), safe="")
    if not isinstance(label, int) and name.removeprefix("-").isdecimal():
        name = f"%{ord(name[0]):X}{name[1:]}"
    if len(name) > LONGEST:
        expected, fix = f"names of eras of at most {LONGEST} letters", "shorten it"
        raise InputError(Problem("bad_era", expected, f"{name[:40]}...", fix, "era"))
    return f"era-{name}"


def write_table(path: Path, table: Any) -> None:
    """An Arrow table as a file, on the disk when this returns."""
    import pyarrow as pa

    with path.open("wb") as file:
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        file.flush()
        os.fsync(file.fileno())


def _announce(era: PackedEra) -> None:
    """Write the .json, and then delete the files that no .json tells of any more."""
    said = {"format": FORMAT, "era": era.label, "n_models": era.n_models, "n_ids": era.n_ids, "files": era.files}
    home = Path(era.folder)
    partial = home.with_name(f".{token_hex(8)}{ENDING}")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(said, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(home)
    name = home.with_name(f"{home.name}.{_content(era.files)}{ENDING}")
    partial.replace(name)
    sync_folder(home.parent)
    for older in home.parent.glob(f"era-*{ENDING}"):
        if older != name and older.name.startswith(f"{home.name}.") and older.name.count(".") == name.name.count("."):
            older.unlink()
    for file_name in set(os.listdir(home)) - {era.path(kind).name for kind in era.files}:
        (home / file_name).unlink()


def _content(files: Mapping[str, str]) -> str:
    """What the name of an era tells of its files: <core>.<features>."""
    core = sha256(json.dumps([[kind, files[kind]] for kind in CORE]).encode()).hexdigest()
    return f"{core[:CONTENT]}.{files.get('features', PLAIN)[:CONTENT]}"


def _written(home: Path, kind: str, table: Any) -> str:
    partial = home / f".{token_hex(8)}.arrow"
    write_table(partial, table)
    return _named(partial, kind)


def _named(partial: Path, kind: str) -> str:
    """Give a file the name that follows from its content; returns its SHA-256."""
    digest = str(_digest(partial))
    partial.replace(partial.with_name(f"{kind}.{digest[:16]}{partial.suffix}"))
    return digest


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _spoiled(path: Path) -> Problem:
    found = "other bytes" if path.exists() else "no file"
    return Problem("era_spoiled", "the file that was packed", found, "pack the era again", str(path))


def _read(path: Path) -> Any:
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as file:
            return pa.ipc.open_file(file).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(_spoiled(path)) from error
