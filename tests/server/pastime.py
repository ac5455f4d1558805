"""Past eras that are published, and predictions of them that are handed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from contests import caller

from crowdalpha.server.service import Service
from crowdalpha.tournament.people import Diagnostic


def publish(service: Service, table: pa.Table) -> Path:
    """The file of past eras of a service, with this table in it."""
    folder = service.settings.folder / "datasets"
    folder.mkdir(exist_ok=True)
    pq.write_table(table, folder / "validation.parquet", row_group_size=20)
    return folder / "validation.parquet"


def publish_target(service: Service, target: Mapping[str, float]) -> None:
    """One era with this target."""
    n = len(target)
    publish(service, pa.table({"era": ["0001"] * n, "id": list(target), "target": list(target.values())}))


def put(service: Service, account: str, content: bytes, name: str = "past.csv") -> str:
    """The name of a file that lies behind a link of the account's."""
    slot = service.diagnostics.slot(caller(account), name, "http://x")
    path = service.settings.folder / "uploads-past" / account / slot.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return slot.filename


def handed_in(service: Service, account: str, content: bytes) -> Diagnostic:
    """A file that was put and handed in for the account's model."""
    return service.diagnostics.hand_in(caller(account), put(service, account, content), f"{account}-1")
