"""`crowdalpha serve`: the tournament on the web, and its clock."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import print_json
from crowdalpha.cli.serving.door import serves

if TYPE_CHECKING:
    from crowdalpha.server.service import Service


@click.command(name="serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any that is free.")
@click.option("--every", type=click.FloatRange(min=0, min_open=True), default=5.0, show_default=True,
              metavar="SECONDS", help="The pause between two ticks of the clock.")  # fmt: skip
@click.option("--no-clock", is_flag=True, help="Do not tick: another server, or a timer with tick, does.")
@click.option("--proxy", metavar="ADDRESSES", help="Proxies before the server, whose word for who asks is taken.")
@serves
def command(
    service: Service, host: str, port: int, every: float, no_clock: bool, proxy: str | None, as_json: bool
) -> None:
    """Serve the tournament: pages, REST at /api/v1, GraphQL at /, and the clock that does all that is due.

    It ends at SIGTERM or Ctrl-C, once it has answered what it was asked and finished what it was doing.
    """
    from crowdalpha.server.running import listen, run

    with listen(host, port) as door:
        address = f"http://{_shown(host)}:{door.getsockname()[1]}"
        if as_json:
            print_json({"tournament": service.settings.name, "address": address})
        else:
            click.echo(f"{service.settings.name} is served at {address}; end it with Ctrl-C.")
        run(service, door, every=None if no_clock else every, proxy=proxy)


def _shown(host: str) -> str:
    """A host as an address has it."""
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return host
    return f"[{host}]"
