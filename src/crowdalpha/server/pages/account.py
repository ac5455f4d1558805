"""One's own account: models, stakes, payouts, keys, submissions, money. Nobody else sees it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from crowdalpha.server.callers import PARTICIPANT, SCOPES
from crowdalpha.server.pages.render import answer, csv_file
from crowdalpha.server.pages.route import pages, refusal_of, wrongs
from crowdalpha.server.pages.visitors import Filled, Visitor, door_of, form, member, now_of
from crowdalpha.server.people import counts
from crowdalpha.server.views.accounts import LATEST, account_view
from crowdalpha.server.views.boards import leaders

router = pages()
Member = Annotated[Visitor, Depends(member)]
Sent = Annotated[Filled, Depends(form)]
DONE = {
    "model": "The model is made. Send it a file whenever a round is open.",
    "stake": "Asked for. It counts when the next round closes.",
    "cancelled": "Taken back.",
    "choice": "Chosen. It counts from the next close on.",
    "ended": "The key has ended.",
}
"""What is said after a form was taken, by the word in the address."""
MAY = {
    "upload_submission": "send submissions",
    "download_submission": "load submissions down again",
    "read_submission_info": "see what was sent",
    "read_user_info": "see the account",
    "stake": "change stakes",
}


@router.get("/account")
def account(request: Request, who: Member) -> Response:
    """All there is to an account, on one page."""
    return _page(request, who, done=DONE.get(request.query_params.get("done", ""), ""))


@router.get("/account/movements.csv")
def movements(request: Request, who: Member) -> Response:
    """Every movement of the account's money."""
    view = account_view(door_of(request).service.engine, who.caller.account, now_of(request))
    return csv_file("movements", *view.table)


@router.post("/account/models")
def add_model(request: Request, who: Member, sent: Sent) -> Response:
    """A new model."""
    return _do(request, who, "model", lambda: door_of(request).service.models.add(who.caller, sent["name"]))


@router.post("/account/stakes")
def change_stake(request: Request, who: Member, sent: Sent) -> Response:
    """Ask for a change of a stake; a form that is sent twice asks once."""
    amount, staking = sent["amount"].strip().replace(",", ""), door_of(request).service.staking
    ask = {"model": sent["model"], "kind": sent["kind"], "amount": amount, "id": _once(sent["key"])}
    return _do(request, who, "stake", lambda: staking.ask(who.caller, **ask))


@router.post("/account/stakes/cancel")
def cancel_stake(request: Request, who: Member, sent: Sent) -> Response:
    """Take a change back that waits."""
    return _do(request, who, "cancelled", lambda: door_of(request).service.staking.cancel(who.caller, sent["change"]))


@router.post("/account/choices")
def choose(request: Request, who: Member, sent: Sent) -> Response:
    """Choose what a model is paid by."""
    models, choice = door_of(request).service.models, _pair(sent["choice"])
    return _do(request, who, "choice", lambda: models.choose(who.caller, sent["model"], choice))


@router.post("/account/keys")
def add_key(request: Request, who: Member, sent: Sent) -> Response:
    """A new key: its secret is on the page that answers, and nowhere ever after."""
    days = sent["days"]
    ends = who.caller.now + timedelta(days=int(days)) if days in ("30", "90", "365") else None
    try:
        token, secret = door_of(request).service.people.add_token(
            who.caller, sent["name"], sent.lists.get("scopes", ()), ends
        )
    except Exception as error:
        return _again(request, who, error)
    return _page(request, who, secret={"public_id": token.public_id, "value": secret})


@router.post("/account/keys/end")
def end_key(request: Request, who: Member, sent: Sent) -> Response:
    """End a key."""
    return _do(request, who, "ended", lambda: door_of(request).service.people.revoke_token(who.caller, sent["key"]))


def _do(request: Request, who: Visitor, done: str, act: Any) -> Response:
    """Do it, and show the page anew; or show it with what is wrong."""
    try:
        act()
    except Exception as error:
        return _again(request, who, error)
    return RedirectResponse(f"/account?done={done}", 303)


def _again(request: Request, who: Visitor, error: Exception) -> Response:
    said = refusal_of(error)
    return _page(request, who, status=said.status, problems=wrongs(said))


def _page(
    request: Request, who: Visitor, *, status: int = 200, problems: Any = (), done: str = "", secret: Any = None
) -> Response:
    door, now = door_of(request), now_of(request)
    engine, people = door.service.engine, door.service.people
    view = account_view(engine, who.caller.account, now)
    board = leaders(engine, door.memory, now)
    own = {one.holding.model.id for one in view.models}
    return answer(
        request,
        "account.html",
        status=status,
        here="/account",
        view=view,
        email=people.me(who.caller).email,
        lines={line.id: line for line in board.lines if line.id in own},
        names={one.holding.model.id: one.holding.model.name for one in view.models},
        tokens=[token for token in people.tokens(who.caller) if counts(token, now)],
        scopes=[(scope, MAY[scope], scope != "stake") for scope in SCOPES if scope in PARTICIPANT],
        refused=[(one, json.loads(one.problems)) for one in door.service.refusals.mine(who.caller)[:LATEST]],
        once=str(uuid4()),
        latest=LATEST,
        problems=problems,
        done=done,
        secret=secret,
    )


def _once(key: str) -> str:
    """The name that a form gives to what it asks for, if it is one of ours; else none."""
    return key if len(key) == 36 and all(c in "0123456789abcdef-" for c in key) else ""


def _pair(words: str) -> tuple[float, float] | None:
    """Two multipliers, as the form says them; None for the default."""
    first, _, second = words.partition(" ")
    try:
        return (float(first), float(second)) if words else None
    except ValueError:
        return None
