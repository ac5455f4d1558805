"""/models/{model}/stake: what its owner puts on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Asking, Serving, Who
from crowdalpha.server.rest.models import shaped
from crowdalpha.server.staking import Stake
from crowdalpha.tournament.stakes import StakeChange

routes = APIRouter(route_class=Told, tags=["stakes"], prefix="/models/{model}/stake")


@routes.get("")
def show_stake(model: str, service: Serving, who: Who, response: Response) -> shapes.StakeOut:
    """The stake of a model of one's own. Scope: read_user_info."""
    stake = service.staking.of(who, model)
    response.headers["ETag"] = f'"{stake.version}"'
    return _stake(stake)


@routes.put("")
def set_stake(
    model: str,
    asked: shapes.NewStake,
    service: Serving,
    who: Who,
    if_match: Annotated[str | None, Header()] = None,
) -> shapes.StakeOut:
    """Ask for what makes the stake that amount, once all that is pending is effective.

    With If-Match only if nothing of the stake has changed since it was looked at (else 412). Scope: stake.
    """
    version = None if if_match in (None, "*") else str(if_match).strip('"')
    service.staking.set(who, model, asked.amount, version=version)
    return _stake(service.staking.of_own(who, model))


@routes.post("/changes", status_code=201, response_model=shapes.ChangeOut)
def change_stake(model: str, asked: shapes.NewChange, service: Serving, who: Who, once: Asking) -> Response:
    """Ask for a change; an Idempotency-Key is needed. Scope: stake."""
    once.require_key()
    return once.answer(201, lambda: _change(service.staking.ask(who, model, asked.type, asked.amount, id=once.id)))


@routes.delete("/changes/{change}")
def cancel_change(model: str, change: str, service: Serving, who: Who) -> shapes.ChangeOut:
    """Take back a change that is pending. Scope: stake."""
    return _change(service.staking.cancel(who, change, model=model))


@routes.put("/settings")
def choose_multipliers(model: str, asked: shapes.Choice, service: Serving, who: Who) -> shapes.ModelOut:
    """Choose what a model is paid by, from the next close on. Scope: stake."""
    corr, mmc = asked.corr_multiplier, asked.mmc_multiplier
    if corr is None or mmc is None:
        if corr is not mmc:
            fix = "give both, or neither for the rule's default"
            raise InputError(Problem("bad_choice", "two multipliers", "one", fix, "multipliers"))
        service.models.choose(who, model, None)
    else:
        service.models.choose(who, model, (corr, mmc))
    return shaped(service, who, service.models.one(who, model))


def _stake(stake: Stake) -> shapes.StakeOut:
    held = stake.holding
    return shapes.StakeOut(
        model=held.model.id,
        stake=held.stake,
        pending_increase=held.reserve,
        release=held.release,
        at_risk=held.at_risk,
        version=stake.version,
        changes=[_change(change) for change in stake.changes],
    )


def _change(change: StakeChange) -> shapes.ChangeOut:
    return shapes.ChangeOut(
        id=change.id,
        model=change.model,
        type=change.kind,
        amount=change.amount,
        requested_at=change.requested_at,
        status=change.status,
        effective_round=change.effective_round,
        release_round=change.release_round,
    )
