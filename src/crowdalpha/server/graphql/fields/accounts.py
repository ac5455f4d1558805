"""Accounts and models: one's own with all that belongs to them, and everybody's as everybody sees them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from crowdalpha.server.graphql.asked import Asked, answers, late
from crowdalpha.server.graphql.fields import submissions
from crowdalpha.server.graphql.fields.boards import daily
from crowdalpha.server.models import Shown
from crowdalpha.server.people import Person, counts
from crowdalpha.tournament import ledger
from crowdalpha.tournament.digests import digest
from crowdalpha.tournament.events import canonical
from crowdalpha.tournament.ledger import Entry
from crowdalpha.tournament.notices import Notice
from crowdalpha.tournament.records import Account, Model

MOST = 5000
"""Movements of money in one answer."""


@answers("Query.account")
def account(asked: Asked) -> dict[str, Any]:
    """The account that asks."""
    person = asked.service.people.me(asked.who)
    owner = person.account
    return {
        "id": owner.id,
        "username": owner.name,
        "email": person.email or None,
        "walletAddress": ledger.wallet(owner.id),
        "availableNmr": person.statement.wallet,
        "mfaEnabled": False,
        "status": "VERIFIED",
        "insertedAt": owner.created_at,
        "models": [_own(asked, one) for one in asked.service.models.mine(asked.who)],
        "apiTokens": late(lambda: _tokens(asked)),
        "walletTxns": late(lambda: _moves(asked, person)),
        "deliveries": late(lambda: [_delivery(one) for one in asked.service.notices.log(asked.who)[:MOST]]),
    }


@answers("Query.model")
def model(asked: Asked, model_id: str | None = None) -> dict[str, Any]:
    """A model; what it does is told its owner alone."""
    own = asked.service.models.own(asked.who, model_id)
    return _own(asked, asked.service.models.one(asked.who, own.id))


@answers("Query.v3UserProfile", "Query.v2SignalsProfile")
def profile(asked: Asked, model_name: str) -> dict[str, Any]:
    """A model by its name, as everybody sees it."""
    shown = asked.service.models.named(asked.who, model_name)
    return _public(asked, shown.model, shown.account) | {
        "bio": shown.profile.bio or None,
        "linkText": shown.profile.link_text or None,
        "linkUrl": shown.profile.link_url or None,
    }


@answers("Query.accountProfile")
def account_profile(asked: Asked, username: str) -> dict[str, Any]:
    """An account by its name, as everybody sees it."""
    owner, models = asked.service.people.named(username)
    return {
        "id": owner.id,
        "username": owner.name,
        "displayName": owner.name,
        "startDate": owner.created_at,
        "nmrStaked": late(lambda: sum(asked.service.staking.public(one.id) for one in models)),
        "models": [_public(asked, one, owner) for one in models],
    }


@answers("Mutation.setUserBio")
def set_bio(asked: Asked, value: str, model_id: str | None = None) -> bool:
    """What the owner says about a model."""
    return _describe(asked, model_id, bio=value)


@answers("Mutation.setUserLink")
def set_link(asked: Asked, link_url: str, link_text: str | None = None, model_id: str | None = None) -> bool:
    """Where a model's page points to."""
    return _describe(asked, model_id, link_url=link_url, link_text=link_text or "")


@answers("Mutation.setSubmissionWebhook")
def set_webhook(asked: Asked, model_id: str, new_submission_webhook: str | None = None) -> str:
    """The address that is called when a model shall submit; clients compare the answer with the text true."""
    return str(_describe(asked, model_id, webhook=new_submission_webhook or "")).lower()


@answers("Mutation.triggerModelWebhook")
def trigger_webhook(asked: Asked, model_id: str) -> str:
    """Call that address now; the id that the submission it leads to may name."""
    return asked.service.notices.trigger(asked.who, model_id).id


def _describe(asked: Asked, model: str | None, **said: str) -> bool:
    own = asked.service.models.own(asked.who, model, "upload_submission")
    asked.service.models.describe(asked.who, own.id, **said)
    return True


def _own(asked: Asked, shown: Shown) -> dict[str, Any]:
    one = shown.model
    return {
        "id": one.id,
        "name": one.name,
        "displayName": one.name,
        "username": one.name,
        "tournament": asked.number,
        "submissions": late(lambda: submissions.of_model(asked, one.id)),
        "latestSubmissions": late(lambda: submissions.latest(asked, one.id)),
        "v2Stake": late(lambda: _stake(asked, one)),
        "stakeValue": late(lambda: asked.service.staking.public(one.id)),
        "submissionWebhook": shown.profile.webhook or None,
        "refusedSubmissions": late(lambda: submissions.refused(asked, one.id)),
    }


def _public(asked: Asked, one: Model, owner: Account) -> dict[str, Any]:
    staked = late(lambda: asked.service.staking.public(one.id))
    return {
        "id": one.id,
        "username": one.name,
        "displayName": one.name,
        "accountName": owner.name,
        "startDate": one.created_at,
        "nmrStaked": staked,
        "stakeValue": staked,
        "dailyModelPerformances": late(lambda: daily(asked, one.id)),
    }


def _stake(asked: Asked, one: Model) -> dict[str, Any]:
    """What a model has staked, and the change that was asked for last."""
    stake = asked.service.staking.of(asked.who, one.id)
    last = next(iter(stake.changes), None)
    status = "confirmed" if last is None or last.status != "pending" else "pending"
    return {"status": status, "value": stake.holding.stake, "txHash": digest([last]) if last else None}


def _tokens(asked: Asked) -> list[dict[str, Any]]:
    """The tokens that count."""
    return [
        {"name": token.name, "publicId": token.public_id, "scopes": list(token.scopes)}
        for token in asked.service.people.tokens(asked.who)
        if counts(token, asked.who.now)
    ]


def _moves(asked: Asked, person: Person) -> list[dict[str, Any]]:
    """What came into the wallet and what left it, newest first."""
    wallet = ledger.wallet(person.account.id)
    newest = reversed(person.statement.entries)
    found = [entry for entry in newest if any(posting.account == wallet for posting in entry.postings)]
    return [_move(asked, entry, wallet) for entry in found[:MOST]]


def _move(asked: Asked, entry: Entry, wallet: str) -> dict[str, Any]:
    moved = {posting.account: posting.amount for posting in entry.postings}
    other = next(name for name in moved if name != wallet)
    source, target = (other, wallet) if moved[wallet] > 0 else (wallet, other)
    return {
        "amount": abs(moved[wallet]),
        "from": source,
        "to": target,
        "status": "confirmed",
        "time": entry.at,
        "tournament": asked.number,
        "txHash": hash_of(entry),
        "type": entry.kind,
    }


def _delivery(one: Notice) -> dict[str, Any]:
    same = ("id", "kind", "channel", "target", "status", "tries", "answer")
    told = {"modelId": one.model or None, "insertedAt": one.created_at}
    return (
        {name: getattr(one, name) for name in same}
        | told
        | {"nextTry": one.next_try if one.status == "pending" else None}
    )


def hash_of(entry: Entry) -> str:
    """The SHA-256 of an entry of the ledger, as canonical JSON."""
    moved = {posting.account: str(posting.amount) for posting in entry.postings}
    told = {"id": entry.id, "kind": entry.kind, "at": entry.at.isoformat(), "postings": moved}
    return sha256(canonical(told)).hexdigest()
