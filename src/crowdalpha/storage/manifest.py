"""What a backup says about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.storage import migrations
from crowdalpha.storage.archive import Archive
from crowdalpha.tournament.events import canonical

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds: `members` are the SHA-256 in hex of its parts, by name, in the order they stand in.

    `format` is that of the backup, `revision` that of the tables, `software` the version that wrote it. `lost` are
    files that submissions refer to and that were not there any more.
    """

    taken_at: datetime
    revision: str
    members: Mapping[str, str]
    lost: tuple[str, ...] = ()
    software: str = version("crowdalpha")
    format: int = FORMAT

    def under(self, folder: str) -> dict[str, str]:
        """The members in a folder, with their SHA-256."""
        return {name: digest for name, digest in self.members.items() if name.startswith(f"{folder}/")}


def to_json(manifest: Manifest) -> bytes:
    """The manifest as it stands in the backup."""
    return canonical(asdict(manifest) | {"taken_at": manifest.taken_at.astimezone(UTC).isoformat()}) + b"\n"


def of(archive: Archive) -> Manifest:
    """The manifest of a backup; InputError (code `backup_newer`) if this version cannot read such a one."""
    try:
        found = json.loads(archive.read(NAME))
        if found["format"] != FORMAT:
            raise _newer(f"format {FORMAT}", f"format {found['format']}")
        there = [name for name in archive.names() if name != NAME]
        if sorted(there) != sorted(found["members"]):
            raise archive.damaged("other members than its manifest says")
        found["members"] = {name: found["members"][name] for name in there}
        found |= {"taken_at": datetime.fromisoformat(found["taken_at"]), "lost": tuple(found["lost"])}
        manifest = Manifest(**found)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise archive.damaged(f"a manifest that cannot be read: {error}") from None
    if manifest.revision != migrations.NEWEST and manifest.revision not in migrations.known():
        raise _newer(f"tables up to revision {migrations.NEWEST}", f"revision {manifest.revision}")
    return manifest


def _newer(expected: str, found: str) -> InputError:
    return InputError(Problem("backup_newer", expected, f"{found}", "install the version that wrote it"))
