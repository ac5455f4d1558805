"""`crowdalpha round schedule`: a round announced, from options, from a file that names the same, or from both."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdalpha.cli.console import counted, reports_refusals
from crowdalpha.cli.options import as_json, existing, known_metrics
from crowdalpha.cli.tournament.door import at, in_folder, opened, time, whole
from crowdalpha.cli.tournament.words import answer, moment

if TYPE_CHECKING:
    from crowdalpha.settings import Settings
    from crowdalpha.tournament.rounds import Round

PATHS = ("universe", "features")
"""What a file names relative to its own folder."""
DAY = timedelta(days=1)
UNSAID = "0" * 64
"""A commitment that the engine fills in."""
id_column = click.option("--id-column", default="id", show_default=True, help="The column with the ids.")


def _from_file(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Take options that are not given from a file: TOML, or JSON where it ends so."""
    if path is None:
        return
    try:
        load: Callable[[str], Any] = json.loads if path.suffix.lower() == ".json" else tomllib.loads
        said = load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"'{path}' cannot be read: {error}", ctx, param) from None
    if not isinstance(said, dict):
        raise click.BadParameter(f"'{path}' names no options.", ctx, param)
    known = {str(each.name): each for each in ctx.command.params if each.name not in NOT_IN_FILES}
    given = {name.replace("-", "_"): value for name, value in said.items()}
    strange = sorted(given.keys() - known.keys())
    if strange:
        message = f"'{path}' says {', '.join(strange)}; there are {', '.join(known)}."
        raise click.BadParameter(message, ctx, param)
    for name in PATHS:
        if isinstance(given.get(name), str):
            given[name] = str(path.parent / given[name])
    ctx.default_map = given


NOT_IN_FILES = ("source", "folder", "as_json", "now", "help")


def _metrics(ctx: click.Context, param: click.Parameter, value: Any) -> tuple[str, ...] | None:
    """Names of metrics, with commas between them or as a list in a file; None if none are named."""
    names = ",".join(value) if isinstance(value, list) else value
    return None if names is None else tuple(known_metrics(ctx, param, str(names)))


@click.command(name="schedule")
@click.option("--from", "source", type=existing, is_eager=True, expose_value=False, callback=_from_file,
              help="TOML or JSON with the options below, by their names.")  # fmt: skip
@click.option("--number", type=whole, required=True, help="Rounds resolve in the order of their numbers.")
@click.option("--open", "open", type=time, metavar="TIME", required=True, help="When it opens.")
@click.option("--close", type=time, metavar="TIME", help="When it closes.")
@click.option("--days", type=click.FloatRange(0, 10_000, min_open=True), default=2.0, show_default=True,
              help="Without --close: how many days it is open.")  # fmt: skip
@click.option("--scoring-days", type=click.IntRange(0, 10_000), default=20, show_default=True,
              help="Scoring days, the first a day after the close.")  # fmt: skip
@click.option("--score", type=time, metavar="TIME", multiple=True, help="Instead: when to score, each time.")
@click.option("--resolve", type=time, metavar="TIME", help="When it resolves; else a day after the last scoring day.")
@click.option("--universe", type=existing, help="A file with its ids; else those of --features.")
@click.option("--features", type=existing, help="A file with the ids and a column a feature.")
@id_column
@click.option("--rule", help="What it pays, by a name from `crowdalpha rules`; else as the settings say.")
@click.option("--metrics", type=click.UNPROCESSED, callback=_metrics, help="What is scored; else as the settings say.")
@click.option("--n-bags", type=whole, help="Bags of a scoring day; else as the settings say.")
@click.option("--final-bags", type=whole, help="Bags of the final score; else as the settings say.")
@click.option("--ties", type=click.Choice(["average", "first"]), help="How ties rank; else as the settings say.")
@click.option("--beacon", default="", help="Public randomness it waits for: `drand quicknet`.")
@at
@in_folder
@as_json
@reports_refusals
def schedule(folder: Path, now: datetime, as_json: bool, **options: Any) -> None:
    """Announce a round: its times, its ids, its rules. Its commitment is published with it."""
    if not (options["universe"] or options["features"]):
        raise click.UsageError("Name the ids with --universe, or with --features.")
    with opened(folder) as (engine, settings):
        ids, features = _tables(**{name: options[name] for name in ("universe", "features", "id_column")})
        round = engine.schedule(_round(options, settings), ids, now, features=features)
    told = f"round {round.number}: opens {moment(round.open_time)}, closes {moment(round.close_time)}, resolves "
    told += f"{moment(round.resolve_time)}; {counted(len(ids), 'id')}, commitment {round.commitment}"
    answer(round, told, as_json)


def _round(options: dict[str, Any], settings: Settings) -> Round:
    """The round that the options, and where they are silent the settings, describe."""
    from crowdalpha.tournament.rounds import Round, daily

    try:
        close = options["close"] or options["open"] + options["days"] * DAY
        scores = options["score"] or daily(close, options["scoring_days"])
        resolve = options["resolve"] or (scores[-1] if scores else close) + DAY
    except OverflowError:
        raise click.UsageError("These times are beyond the calendar.") from None
    defaults = {field.name: getattr(settings.rounds, field.name) for field in fields(settings.rounds)}
    said = {name: options[name] for name in defaults if options[name] is not None}
    return Round(
        number=options["number"],
        open_time=options["open"],
        close_time=close,
        scoring_times=tuple(scores),
        resolve_time=resolve,
        commitment=UNSAID,
        beacon=options["beacon"],
        **defaults | said,
    )


def _tables(
    universe: Path | None, features: Path | None, id_column: str
) -> tuple[list[str], dict[str, list[float]] | None]:
    """The ids of the round, and the features in their order."""
    from crowdalpha.cli.tournament.columns import read_features, read_ids

    if features is None or universe is None:
        return (read_ids(universe, id_column), None) if universe else read_features(Path(str(features)), id_column)
    ids, (own, columns) = read_ids(universe, id_column), read_features(features, id_column)
    _require_same(ids, own, str(features))
    place = {id: row for row, id in enumerate(own)}
    return ids, {name: [column[place[id]] for id in ids] for name, column in columns.items()}


def _require_same(ids: list[str], own: list[str], where: str) -> None:
    """Refuse features of other ids than those of the round."""
    from crowdalpha.scoring.problems import InputError, Problem

    if sorted(ids) != sorted(own):
        found, fix = f"{len(own)} rows, {len({*ids} - {*own})} ids without any", "name every id once in both"
        raise InputError(Problem("ids_differ", f"features of the {len(ids)} ids of the round", found, fix, where))
