"""crowdalpha: what each model adds to the stake-weighted crowd.

Importing the package loads nothing; a name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crowdalpha.client.api import Client
    from crowdalpha.scoring import (
        METRICS,
        InputError,
        corr,
        draw_bags,
        exposures,
        metamodel,
        mmc2,
        neutralize,
        summarize,
    )
    from crowdalpha.tables.frames import eras, score

__all__ = [
    "METRICS",
    "Client",
    "InputError",
    "corr",
    "draw_bags",
    "eras",
    "exposures",
    "metamodel",
    "mmc2",
    "neutralize",
    "score",
    "summarize",
]
_HOMES = {
    "Client": "crowdalpha.client.api",
    "eras": "crowdalpha.tables.frames",
    "score": "crowdalpha.tables.frames",
}
"""Where those names are that are not of the scoring library."""


def __getattr__(name: str) -> Any:
    """A public name, imported on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "crowdalpha.scoring")), name)


def __dir__() -> list[str]:
    """The names of the package, those not yet imported included."""
    return sorted({*globals(), *__all__})
