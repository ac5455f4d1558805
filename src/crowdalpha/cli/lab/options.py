"""What commands of the lab have in common."""

from __future__ import annotations

import click

seed = click.option("--seed", default="0", show_default=True, help="What all chance comes from: a number or any text.")
