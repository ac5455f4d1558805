"""What commands of the lab have in common."""

from __future__ import annotations

import click

seed = click.option("--seed", default="0", show_default=True, help="What all chance comes from: a number or any text.")
engine = click.option(
    "--engine",
    default="processes",
    show_default=True,
    metavar="URL",
    help="Who plays: processes, threads, serial, or a Dask scheduler such as tcp://host:8786. All play the same.",
)
