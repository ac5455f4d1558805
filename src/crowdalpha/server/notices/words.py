"""What a mail says: a subject and a few lines, from the same content that a webhook is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Said = Mapping[str, Any]
SUBJECTS = {
    "round_open": "round {round} is open",
    "closing_soon": "round {round} closes soon, without you",
    "refused": "a file was refused",
    "scored": "round {round} has scores of day {day}",
    "settled": "round {round} is settled",
    "confirm": "is this your address?",
    "test": "a message to try this out",
}


def subject(name: str, kind: str, said: Said) -> str:
    """The subject of a mail of the tournament with that name.

    >>> subject("cup", "round_open", {"round": 5})
    'cup: round 5 is open'
    """
    return f"{name}: {SUBJECTS[kind].format_map(said)}"


def text(kind: str, said: Said, address: str, code: str = "") -> str:
    """The lines of a mail; `address` is where the server is seen ("" for unknown), `code` what confirms."""
    lines = [*_LINES[kind](said, code), ""]
    where = f"{address}/account/notices" if address else "the page of your notices"
    lines += [f"What you are told, and how, is your choice: {where}."]
    return "\n".join(lines) + "\n"


def _open(said: Said, code: str) -> Iterator[str]:
    yield f"Round {said['round']} takes submissions until {said['close_time']}."


def _closing(said: Said, code: str) -> Iterator[str]:
    yield f"Round {said['round']} closes at {said['close_time']}. Nothing has come yet for:"
    yield from (f"  {model['name']}" for model in said["models"])


def _refused(said: Said, code: str) -> Iterator[str]:
    yield f"{said['filename']} for {said['models'][0]['name']} was not taken:"
    yield from (f"  {line}" for line in said["message"].split("; "))


def _scored(said: Said, code: str) -> Iterator[str]:
    yield f"Round {said['round']}, day {said['day']}:"
    yield from (f"  {model['name']}: {_scores(model)}" for model in said["models"])


def _settled(said: Said, code: str) -> Iterator[str]:
    yield f"Round {said['round']} is over:"
    for model in said["models"]:
        paid = f"; paid {model['paid']} on {model['at_risk']} at risk" if model["paid"] is not None else ""
        yield f"  {model['name']}: {_scores(model)}{paid}"


def _confirm(said: Said, code: str) -> Iterator[str]:
    yield "Somebody, you we hope, wants mail of this tournament sent here. If so, enter this code where you chose it:"
    yield ""
    yield f"  {code}"
    yield ""
    yield "If not, do nothing: no other mail will come."


def _test(said: Said, code: str) -> Iterator[str]:
    yield "This is how you will hear from us."


def _scores(model: Said) -> str:
    found = [f"{name} {value:.4f}" for name, value in sorted(model["scores"].items()) if value is not None]
    return ", ".join(found) or "no score"


_LINES = {
    "round_open": _open,
    "closing_soon": _closing,
    "refused": _refused,
    "scored": _scored,
    "settled": _settled,
    "confirm": _confirm,
    "test": _test,
}
