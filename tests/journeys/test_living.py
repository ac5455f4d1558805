"""`crowdalpha demo --serve`: a site on which rounds go on while one looks."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from running import running

from crowdalpha.demo.crowd import Crowd
from crowdalpha.demo.flusight import flusight
from crowdalpha.demo.living import Crowdsfolk, begin
from crowdalpha.server.service import Service
from crowdalpha.settings import open_engine, read
from crowdalpha.simulation.replay import WEEK, judge
from crowdalpha.tournament.rounds import Stage


def test_rounds_that_are_to_come_open_are_played_and_paid_while_one_looks(tmp_path: Path) -> None:
    crowd: Crowd = flusight()
    living = begin(crowd, tmp_path, lambda *_: None, rounds=4, coming=2)
    assert (living.first, len(living.coming)) == (3, 2)
    settings, clock = read(living.folder, {}), living.clock(week=1.0)
    with open_engine(settings) as engine, open_engine(settings, judge=judge) as theirs:
        service = Service(engine, settings, clock)
        players = Crowdsfolk(living, theirs, clock)
        players.start()
        with running(service):
            until = time.monotonic() + 60
            while players.is_alive() or engine.round_show(4).stage is not Stage.RESOLVED:
                assert time.monotonic() < until
                engine.tick(clock())
                time.sleep(0.05)
        players.stop()
        third = engine.round_show(3)
        assert third.on_time + third.late > 5
        assert clock() > living.timetable.round(4, "corr-or-twice-mmc").open_time + 3 * WEEK


def test_the_players_stop_when_the_site_is_closed(tmp_path: Path) -> None:
    living = begin(flusight(), tmp_path, lambda *_: None, rounds=3, coming=1)
    clock = living.clock(week=timedelta(days=7).total_seconds())
    with open_engine(read(living.folder, {}), judge=judge) as engine:
        players = Crowdsfolk(living, engine, clock)
        players.start()
        players.stop()
        assert not players.is_alive()
        assert engine.round_show(3).stage is Stage.SCHEDULED
