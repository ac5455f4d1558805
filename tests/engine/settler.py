"""A process that ticks at a time when it is told to: `settler.py URL FILES NOW`, then a line on its standard input."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from seasons import judge

from crowdalpha.engine import Engine
from crowdalpha.storage.folder import FolderFiles
from crowdalpha.storage.sql import SqlStore
from crowdalpha.tournament import seeds

if __name__ == "__main__":
    url, files, now = sys.argv[1:]
    store = SqlStore(url)
    engine = Engine(store, FolderFiles(Path(files)), judge=judge, master=b"m" * seeds.SECRET_BYTES)
    print("ready", flush=True)
    sys.stdin.readline()
    engine.tick(datetime.fromisoformat(now))
    store.close()
