"""crowdalpha: what each model adds to the stake-weighted crowd."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crowdalpha.tables.frames import score

__all__ = ["score"]
_HOMES = {"score": "crowdalpha.tables.frames"}
"""Where each public name lives; it is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    """A public name, imported on first use, so that importing crowdalpha loads nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The names of the package, those not yet imported included."""
    return sorted({*globals(), *__all__})
