"""Models: whose they are, what they are called, what their owners say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.names import check_name
from crowdalpha.server.office import Office, found, new_id, own_model
from crowdalpha.tournament.people import Profile
from crowdalpha.tournament.ports import Reading, Transaction
from crowdalpha.tournament.records import METAMODEL, Account, Model

MODELS = 100
"""Models that one account may have."""
LONGEST = {"bio": 2000, "link_text": 80, "link_url": 500, "webhook": 500}
ADDRESSES = ("link_url", "webhook")


@dataclass(frozen=True, slots=True)
class Shown:
    """A model as everybody sees it: with its owner and its profile, whose webhook is for the owner alone."""

    model: Model
    account: Account
    profile: Profile


class Models:
    """Verbs about models."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def mine(self, who: Caller) -> list[Shown]:
        """The caller's models, by name."""
        who.require("read_user_info")
        with self._office.engine.store.reading() as work:
            mine = [_shown(work, model, who) for model in work.find(Model, account=who.account)]
        return sorted(mine, key=lambda one: one.model.name)

    def add(self, who: Caller, name: str) -> Model:
        """A new model of the caller's; its name is taken once in the tournament, whatever its case."""
        who.require("upload_submission")
        name = check_name(name)
        model = Model(new_id(), who.account, name, who.now)
        with self._office.engine.store.transaction() as work:
            found(work.get(Account, who.account), "account", who.account)
            _require_free(work, name)
            if len(work.find(Model, account=who.account)) >= MODELS:
                raise InputError(Problem("too_many_models", f"at most {MODELS} models", "one more", "use one you have"))
            work.insert(model)
            said = {"model": model.id, "account": model.account, "name": name, "benchmark": False}
            work.append("model.added", said, who.now)
        return model

    def one(self, who: Caller, id: str) -> Shown:
        """A model as everybody may see it; its owner sees more."""
        with self._office.engine.store.reading() as work:
            return _shown(work, found(work.get(Model, id), "model", id), who)

    def named(self, who: Caller, name: str) -> Shown:
        """A model by its name, as everybody may see it."""
        with self._office.engine.store.reading() as work:
            return _shown(work, found(_by_name(work, name), "model", name), who)

    def own(self, who: Caller, id: str | None, scope: str = "read_submission_info") -> Model:
        """A model of the caller's; with None the only one the account has, else `several_models`."""
        who.require(scope)
        with self._office.engine.store.reading() as work:
            if id is not None:
                return own_model(work, who, id)
            mine = work.find(Model, account=who.account)
        if len(mine) != 1:
            raise refusal("several_models", count=len(mine))
        return mine[0]

    def rename(self, who: Caller, id: str, name: str) -> Model:
        """Call a model of the caller's something else."""
        who.require("upload_submission")
        name = check_name(name)
        with self._office.engine.store.transaction() as work:
            model = replace(own_model(work, who, id), name=name)
            _require_free(work, name, but=id)
            work.update(model)
            work.append("model.renamed", {"model": id, "name": name}, who.now)
        return model

    def describe(self, who: Caller, id: str, **said: Any) -> Profile:
        """Change what the profile of a model of the caller's says: bio, link_text, link_url, webhook, archived."""
        who.require("upload_submission")
        refuse_if_any(problem for name, value in said.items() for problem in profile_problems(name, value))
        with self._office.engine.store.transaction() as work:
            own_model(work, who, id)
            before = work.get(Profile, id, lock=True)
            profile = replace(before or Profile(id), **said)
            if before is None:
                work.insert(profile)
            else:
                work.update(profile)
        return profile

    def choose(self, who: Caller, id: str, choice: tuple[float, float] | None) -> Model:
        """Change the (CORR, MMC) multipliers that a model of the caller's is paid by, from the next close on."""
        who.require("stake")
        with self._office.engine.store.reading() as work:
            own_model(work, who, id)
        return self._office.engine.choose(id, choice, who.now)


def _shown(work: Reading, model: Model, who: Caller) -> Shown:
    profile = work.get(Profile, model.id) or Profile(model.id)
    if model.account != who.account:
        profile = replace(profile, webhook="")
    return Shown(model, found(work.get(Account, model.account), "account", model.account), profile)


def _by_name(work: Reading, name: str) -> Model | None:
    return next((one for one in work.find(Model) if one.name.casefold() == name.casefold()), None)


def _require_free(work: Transaction, name: str, *, but: str = "") -> None:
    """Refuse a name that another model has."""
    other = _by_name(work, name)
    if name.casefold() == METAMODEL or (other is not None and other.id != but):
        raise refusal("id_taken", what="the name", id=name)


def profile_problems(name: str, value: Any) -> Sequence[Problem]:
    """What is wrong with what a profile shall say."""
    if name == "archived":
        return []
    if len(value) > LONGEST[name] or "\0" in value:
        return [Problem(f"bad_{name}", f"at most {LONGEST[name]} characters", str(len(value)), "shorten it", name)]
    if name in ADDRESSES and value and not _is_address(value):
        return [Problem(f"bad_{name}", "an address that begins with https:// or http://", ascii(value)[:60], "", name)]
    return []


def _is_address(value: str) -> bool:
    if not value.isascii() or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
