"""A wire to PostgreSQL that can be cut: just before a COMMIT gets through, or just after, before its answer does."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

NAME = ".s.PGSQL.5432"
COMMIT = b"COMMIT\x00"


class Cutter:
    """Passes on whatever comes to a socket in `folder` to the one in `sockets`, and back.

    `cut(k, after)` cuts the connection that says the k-th COMMIT from now on; `cuts` counts what was cut.
    """

    def __init__(self, folder: Path, sockets: Path) -> None:
        self._to, self._turn, self.cuts = str(sockets / NAME), threading.Lock(), 0
        self._left, self._after = 0, False
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / NAME))
        self._door.listen()
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self, number: int, *, after: bool) -> None:
        self._left, self._after = number, after

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _listen(self) -> None:
        with suppress(OSError):  # the door is closed
            while True:
                client = self._door.accept()[0]
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._to)
                doomed = threading.Event()
                for pump in (self._ask, self._answer):
                    threading.Thread(target=pump, args=(client, server, doomed), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with client, server, suppress(OSError):
            while said := client.recv(65536):
                if COMMIT in said and self._is_the_one():
                    doomed.set()
                    if not self._after:
                        break
                server.sendall(said)
            _shut(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while said := server.recv(65536):
                if doomed.is_set():
                    break
                client.sendall(said)
            _shut(client, server)

    def _is_the_one(self) -> bool:
        with self._turn:
            self._left -= 1
            self.cuts += self._left == 0
            return self._left == 0


def _shut(*wires: socket.socket) -> None:
    for wire in wires:
        with suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
