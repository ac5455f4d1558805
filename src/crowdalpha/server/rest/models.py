"""/models and /profiles: what people play with."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from crowdalpha.server.callers import Caller
from crowdalpha.server.models import Shown
from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Asking, Serving, Some, Who, next_link
from crowdalpha.server.rest.tournaments import known
from crowdalpha.server.service import Service

routes = APIRouter(route_class=Told, tags=["models"])


@routes.get("/models")
def list_models(
    service: Serving, who: Who, some: Some, request: Request, response: Response
) -> shapes.Page[shapes.ModelOut]:
    """The models of the account that asks, by name. Scope: read_user_info."""
    items, cursor = some.of(service.models.mine(who), lambda one: [one.model.id])
    next_link(request, response, cursor)
    return shapes.Page[shapes.ModelOut](items=[shaped(service, who, one) for one in items], next_cursor=cursor)


@routes.post("/models", status_code=201, response_model=shapes.ModelOut)
def make_model(asked: shapes.NewModel, service: Serving, who: Who, once: Asking) -> Response:
    """A new model. Scope: upload_submission."""
    return once.answer(
        201, lambda: shaped(service, who, service.models.one(who, service.models.add(who, asked.name).id))
    )


@routes.get("/models/{model}")
def show_model(model: str, service: Serving, who: Who) -> shapes.ModelOut:
    """A model as everybody may see it."""
    return shaped(service, who, service.models.one(who, model))


@routes.patch("/models/{model}")
def change_model(model: str, asked: shapes.ChangedModel, service: Serving, who: Who) -> shapes.ModelOut:
    """Change the name or the profile of a model. Scope: upload_submission."""
    said = {name: value for name, value in asked.model_dump(exclude_unset=True).items() if value is not None}
    name = said.pop("name", None)
    if said or name is None:
        service.models.describe(who, model, **said)
    if name is not None:
        service.models.rename(who, model, name)
    return shaped(service, who, service.models.one(who, model))


@routes.get("/profiles/models/{tournament}/{name}")
def show_model_by_name(tournament: int, name: str, service: Serving, who: Who) -> shapes.ModelOut:
    """A model by its name."""
    known(service, tournament)
    return shaped(service, who, service.models.named(who, name))


@routes.get("/profiles/accounts/{name}")
def show_account_by_name(name: str, service: Serving, who: Who) -> shapes.Page[shapes.ModelOut]:
    """The models of an account by its name."""
    _, models = service.people.named(name)
    return shapes.Page[shapes.ModelOut](
        items=[shaped(service, who, service.models.one(who, model.id)) for model in models]
    )


def shaped(service: Service, who: Caller, one: Shown) -> shapes.ModelOut:
    """A model in its shape."""
    model, profile = one.model, one.profile
    return shapes.ModelOut(
        id=model.id,
        name=model.name,
        account=one.account.id,
        account_name=one.account.name,
        created_at=model.created_at,
        benchmark=model.benchmark,
        archived=profile.archived,
        bio=profile.bio,
        link_text=profile.link_text,
        link_url=profile.link_url,
        webhook=profile.webhook if model.account == who.account else None,
        corr_multiplier=model.corr_multiplier,
        mmc_multiplier=model.mmc_multiplier,
        stake=service.staking.public(model.id),
    )
