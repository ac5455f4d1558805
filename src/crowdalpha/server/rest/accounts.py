"""/account: who asks, their tokens and their money."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from crowdalpha.server.people import Person
from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Asking, Serving, Some, Who, next_link
from crowdalpha.tournament import ledger
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.people import Token

routes = APIRouter(route_class=Told, tags=["account"], prefix="/account")


@routes.get("")
def show_account(service: Serving, who: Who) -> shapes.AccountOut:
    """The account whose token this is. Scope: read_user_info."""
    me = service.people.me(who)
    return shapes.AccountOut(
        id=me.account.id,
        name=me.account.name,
        email=me.email,
        created_at=me.account.created_at,
        wallet=me.statement.wallet,
        staked=sum(holding.stake for holding in me.statement.models),
        models=[holding.model.id for holding in me.statement.models],
    )


@routes.get("/tokens")
def list_tokens(
    service: Serving, who: Who, some: Some, request: Request, response: Response
) -> shapes.Page[shapes.TokenOut]:
    """The account's tokens, newest first, without their secrets. Scope: read_user_info."""
    items, cursor = some.of(service.people.tokens(who), lambda token: [token.public_id])
    next_link(request, response, cursor)
    return shapes.Page[shapes.TokenOut](items=[_token(token) for token in items], next_cursor=cursor)


@routes.post("/tokens", status_code=201, response_model=shapes.MadeToken)
def make_token(asked: shapes.NewToken, service: Serving, who: Who, once: Asking) -> Response:
    """A new token; its secret is shown this once. It may no more than the one that asks. Scope: read_user_info."""

    def make() -> shapes.MadeToken:
        token, secret = service.people.add_token(who, asked.name, asked.scopes, asked.expires_at)
        return shapes.MadeToken(**_token(token).__dict__, secret=secret)

    return once.answer(201, make, aside=("secret",))


@routes.delete("/tokens/{public_id}")
def revoke_token(public_id: str, service: Serving, who: Who) -> shapes.TokenOut:
    """End a token at once. Scope: read_user_info."""
    return _token(service.people.revoke_token(who, public_id))


@routes.get("/transactions")
def list_transactions(
    service: Serving, who: Who, some: Some, request: Request, response: Response
) -> shapes.Page[shapes.TransactionOut]:
    """Every entry of the ledger that touched the account, newest first. Scope: read_user_info."""
    me = service.people.me(who)
    items, cursor = some.of(me.statement.entries[::-1], lambda entry: [entry.id])
    next_link(request, response, cursor)
    return shapes.Page[shapes.TransactionOut](items=[_moved(entry, me) for entry in items], next_cursor=cursor)


@routes.get("/payouts")
def list_payouts(
    service: Serving, who: Who, some: Some, request: Request, response: Response
) -> shapes.Page[shapes.PayoutOut]:
    """What resolved rounds paid the account's models, newest first. Scope: read_user_info."""
    items, cursor = some.of(service.people.payouts(who), lambda one: [one.round.number, one.model.id])
    next_link(request, response, cursor)
    paid = [
        shapes.PayoutOut(
            round=one.round.number,
            model=one.model.id,
            model_name=one.model.name,
            at_risk=one.payout.at_risk,
            fraction=one.payout.fraction,
            owed=one.payout.owed,
            paid=one.payout.paid,
            resolve_time=one.round.resolve_time,
        )
        for one in items
    ]
    return shapes.Page[shapes.PayoutOut](items=paid, next_cursor=cursor)


def _token(token: Token) -> shapes.TokenOut:
    names = [name for name in shapes.TokenOut.model_fields if name != "scopes"]
    return shapes.TokenOut(**{name: getattr(token, name) for name in names}, scopes=list(token.scopes))


def _moved(entry: Entry, me: Person) -> shapes.TransactionOut:
    """An entry as this account sees it: nothing of the postings of others."""
    wallet = ledger.wallet(me.account.id)
    own = {of(one.model.id) for one in me.statement.models for of in (ledger.stake, ledger.release, ledger.reserve)}
    return shapes.TransactionOut(
        id=entry.id,
        kind=entry.kind,
        at=entry.at,
        wallet=sum(posting.amount for posting in entry.postings if posting.account == wallet),
        models=sum(posting.amount for posting in entry.postings if posting.account in own),
        memo=entry.memo,
        postings=[
            shapes.PostingOut(account=posting.account, amount=posting.amount)
            for posting in entry.postings
            if posting.account in own | {wallet}
        ],
    )
