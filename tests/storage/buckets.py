"""A real service that speaks S3 over HTTP, in a thread of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

from crowdalpha.storage.objects import ObjectFiles

NUMBERS = count()


class Service:
    """Where it listens, and how to come in."""

    def __init__(self, port: int) -> None:
        self.options: dict[str, Any] = {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "key": "key",
            "secret": "secret",
            "client_kwargs": {"region_name": "us-east-1"},
        }

    def bucket(self) -> str:
        """The URL of a new, empty bucket."""
        name = f"bucket-{next(NUMBERS)}"
        urlopen(Request(f"{self.options['endpoint_url']}/{name}", method="PUT")).close()
        return f"s3://{name}"

    def files(self) -> ObjectFiles:
        """A store in a new bucket."""
        return ObjectFiles(f"{self.bucket()}/files", **self.options)


@contextmanager
def service(*, exclusive: bool = True) -> Iterator[Service]:
    """A service that does one request at a time; if it is not exclusive, it overhears `If-None-Match`, as some do.

    So it looks whether a name is free and takes it in one step, as S3 promises; with a thread a request moto does not.
    """
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, *args: Any) -> None:
            pass

    backend = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start: Any) -> Any:
        if not exclusive:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        return backend(environ, start)

    server = make_server("127.0.0.1", 0, app, threaded=False, request_handler=Silent)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Service(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()
