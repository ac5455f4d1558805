"""`crowdalpha tick`: everything that is due, once or for ever."""

from __future__ import annotations

import json
from datetime import datetime
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import printable, warn
from crowdalpha.cli.tournament.door import now as clock
from crowdalpha.cli.tournament.door import plays, time
from crowdalpha.cli.tournament.words import ahead, answer, done, lacks, moment

if TYPE_CHECKING:
    from crowdalpha.engine import Engine


@click.command(name="tick")
@click.option("--now", type=time, metavar="TIME", help="The time, in ISO 8601; else the clock's.")
@click.option("--every", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
              help="Go on until interrupted, with a pause of so many seconds.")  # fmt: skip
@plays
def command(engine: Engine, now: datetime | None, every: float | None, as_json: bool) -> None:
    """Do all that is due in all rounds: open, close, score, resolve. What was done is not done again."""
    if every is None:
        found = _tick(engine, now or clock())
        answer(found, "\n".join(_lines(found)), as_json)
        return
    if now is not None:
        raise click.UsageError("--every goes by the machine's clock; leave --now out.")
    try:
        _for_ever(engine, every, as_json)
    except KeyboardInterrupt:
        return


def _for_ever(engine: Engine, every: float, as_json: bool) -> None:
    """Tick until interrupted, and say what is new: in JSON, a line a tick. Who has no turn tries again."""
    from crowdalpha.tournament.ports import BusyError

    said: list[str] = []
    while True:
        try:
            found = _tick(engine, clock())
        except BusyError as error:
            warn(f"busy: {error}")
        else:
            lines = [json.dumps(found)] if as_json else _lines(found)
            if found["done"] or lines != said:
                click.echo("\n".join(map(printable, lines)))
            said = lines
        sleep(every)


def _tick(engine: Engine, now: datetime) -> dict[str, Any]:
    """What was done by now, which due events wait for a target or a beacon, and what comes next."""
    keys = engine.tick(now)
    events = _ahead(engine)
    following = [event for event in events if event.time > now]
    return {
        "done": keys,
        "waiting": [event.key for event in events if event.time <= now],
        "next": {"event": following[0].key, "time": following[0].time.isoformat()} if following else None,
    }


def _ahead(engine: Engine) -> list[Any]:
    """The next event of every round that is not over, in order."""
    from crowdalpha.tournament.records import Progress
    from crowdalpha.tournament.rounds import Round, Stage, pending

    with engine.store.reading() as work:
        running = [p for stage in Stage if stage is not Stage.RESOLVED for p in work.find(Progress, stage=stage)]
        rounds = {progress.round: work.get(Round, progress.round) for progress in running}
    return sorted(pending(round, p.stage, p.scored_days)[0] for p in running if (round := rounds[p.round]))


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [*map(done, found["done"]), *map(lacks, found["waiting"])] or ["nothing is due"]
    if following := found["next"]:
        lines.append(f"next: {ahead(following['event'])}, {moment(datetime.fromisoformat(following['time']))}")
    return lines
