"""A real server on a free port, for clients that speak HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from crowdalpha.server.app import create_app
from crowdalpha.server.service import Service


@contextmanager
def running(service: Service) -> Iterator[str]:
    """The address of a server of that service; nothing ticks but what the test ticks."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(64)
        config = uvicorn.Config(create_app(service), log_level="warning", ws="none", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([door],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()
