"""`crowdalpha demo --serve`: both crowds as living sites."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdalpha.cli.console import print_json, progress

if TYPE_CHECKING:
    from crowdalpha.demo.crowd import Crowd
    from crowdalpha.demo.play import Told

EVERY = 1.0
"""Seconds between two ticks of a clock that runs fast."""


def serve(folder: Path, host: str, port: int, week: float, *, as_json: bool) -> None:
    """Play the crowds up to half a year before their end, then serve them while the rest is played."""
    from crowdalpha.cli.serving.door import require_server

    require_server()
    from crowdalpha.demo.living import Crowdsfolk, begin
    from crowdalpha.server.running import listen, run_all
    from crowdalpha.server.service import Service
    from crowdalpha.settings import open_engine, read
    from crowdalpha.simulation.replay import judge

    with ExitStack() as opened:
        doors = [opened.enter_context(listen(host, port and port + k)) for k in range(2)]
        with progress("Playing") as told:
            heard: Told = lambda what, done, total: told(done, total, what)  # noqa: E731
            living = [begin(crowd, folder, heard) for crowd in _crowds(heard)]
        services, players = [], []
        for one in living:
            settings, clock = read(one.folder, {}), one.clock(week)
            services.append(Service(opened.enter_context(open_engine(settings)), settings, clock))
            players.append(Crowdsfolk(one, opened.enter_context(open_engine(settings, judge=judge)), clock))
        addresses = [f"http://{host}:{door.getsockname()[1]}" for door in doors]
        _say([one.name for one in living], addresses, week, as_json=as_json)
        for player in players:
            player.start()
            opened.callback(player.stop)
        run_all(list(zip(services, doors, strict=True)), every=EVERY)


def _crowds(told: Told) -> list[Crowd]:
    from crowdalpha.demo.play import load_equities, load_flusight

    return [load_flusight(told), load_equities(told)]


def _say(names: list[str], addresses: list[str], week: float, *, as_json: bool) -> None:
    if as_json:
        print_json({"sites": [{"name": name, "address": at} for name, at in zip(names, addresses, strict=True)]})
        return
    for name, address in zip(names, addresses, strict=True):
        click.echo(f"{name} is served at {address}")
    click.echo(f"A week takes {week:g} seconds there. End both with Ctrl-C.")
