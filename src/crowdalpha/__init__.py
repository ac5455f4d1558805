"""crowdalpha: what each model adds to the stake-weighted crowd.

Importing the package loads nothing; a name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
_TABLES = ("eras", "score")


def __getattr__(name: str) -> Any:
    """A public name, imported on first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("crowdalpha.tables.frames" if name in _TABLES else "crowdalpha.scoring"), name)


def __dir__() -> list[str]:
    """The names of the package, those not yet imported included."""
    return sorted({*globals(), *__all__})
