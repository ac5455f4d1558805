"""Stakes: more, less, or all of it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crowdalpha.server.catalogue import Refusal
from crowdalpha.server.graphql.asked import Asked, answers, late
from crowdalpha.server.graphql.scalars import plain_amount
from crowdalpha.tournament.stakes import StakeChange


@answers("Mutation.v2ChangeStake")
def change_stake(asked: Asked, value: str, type: str, model_id: str | None = None) -> dict[str, Any]:
    """Stake an amount more, or less; more than there is takes all of it back."""
    own = asked.service.models.own(asked.who, model_id, "stake")
    return shown(asked, asked.service.staking.ask(asked.who, own.id, type, plain_amount(value)))


@answers("Mutation.releaseStake")
def release_stake(
    asked: Asked, drain: bool | None = None, amount: str | None = None, model_id: str | None = None
) -> dict[str, Any]:
    """Take an amount back, or all there is."""
    own = asked.service.models.own(asked.who, model_id, "stake")
    if drain:
        return shown(asked, asked.service.staking.ask(asked.who, own.id, "drain"))
    return shown(asked, asked.service.staking.ask(asked.who, own.id, "decrease", plain_amount(amount or "")))


@answers("Query.latestNmrPrice")
def price(asked: Asked) -> dict[str, Any]:
    """What the coin is worth elsewhere, which nobody here knows."""
    return {"priceUsd": None}


def shown(asked: Asked, change: StakeChange) -> dict[str, Any]:
    """A change of a stake."""
    return {
        "id": change.id,
        "type": change.kind,
        "status": change.status,
        "requestedAmount": change.amount,
        "drain": change.kind == "drain",
        "dueDate": late(lambda: _due(asked, change)),
    }


def _due(asked: Asked, change: StakeChange) -> datetime | None:
    """When an increase is effective, and when a decrease is paid back; None while the round is not announced."""
    back = change.release_round
    try:
        round = asked.service.rounds.one(asked.who, change.effective_round if back is None else back).round
    except Refusal:
        return None
    return round.close_time if back is None else round.resolve_time
