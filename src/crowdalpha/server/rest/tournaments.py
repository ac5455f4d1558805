"""/tournaments and its rounds: public, all of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.rest import shapes
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Serving, Some, Who, next_link
from crowdalpha.server.rounds import RoundState
from crowdalpha.server.service import Service
from crowdalpha.tournament.rounds import Stage

routes = APIRouter(route_class=Told, tags=["tournaments"])


def known(service: Service, number: int) -> None:
    """Refuse the number of a tournament that is not here."""
    if number != service.settings.server.number:
        raise refusal("unknown", what="tournament", id=number)


@routes.get("/tournaments")
def list_tournaments(service: Serving, who: Who) -> shapes.Page[shapes.TournamentOut]:
    """The tournaments of this server: one."""
    return shapes.Page[shapes.TournamentOut](items=[_tournament(service)])


@routes.get("/tournaments/{tournament}")
def show_tournament(tournament: int, service: Serving, who: Who) -> shapes.TournamentOut:
    """A tournament, and what it asks of submissions."""
    known(service, tournament)
    return _tournament(service)


@routes.get("/tournaments/{tournament}/rounds")
def list_rounds(
    tournament: int,
    service: Serving,
    who: Who,
    some: Some,
    request: Request,
    response: Response,
    status: shapes.Stage | None = None,
    details: Annotated[bool, Query(description="With the sums of each.")] = False,
) -> shapes.Page[shapes.RoundDetails] | shapes.Page[shapes.RoundOut]:
    """Rounds, newest first."""
    known(service, tournament)
    states = service.rounds.all(who, None if status is None else Stage(status))
    items, cursor = some.of(states, lambda state: [state.round.number])
    next_link(request, response, cursor)
    if details:
        summed = [_details(service, state, who) for state in items]
        return shapes.Page[shapes.RoundDetails](items=summed, next_cursor=cursor)
    return shapes.Page[shapes.RoundOut](items=[_round(state, who) for state in items], next_cursor=cursor)


@routes.get("/tournaments/{tournament}/rounds/current")
def current_round(tournament: int, service: Serving, who: Who) -> shapes.RoundOut:
    """The round that takes submissions; 404 `round_not_open`, with `next_open_time`, while there is none."""
    known(service, tournament)
    return _round(service.rounds.current(who), who)


@routes.get("/tournaments/{tournament}/rounds/{round}")
def show_round(tournament: int, round: int, service: Serving, who: Who) -> shapes.RoundDetails:
    """A round with its sums."""
    known(service, tournament)
    return _details(service, service.rounds.one(who, round), who)


@routes.get("/tournaments/{tournament}/rounds/{round}/universe")
def show_universe(tournament: int, round: int, service: Serving, who: Who) -> shapes.UniverseOut:
    """The ids that a submission has to hold; from the opening of the round on."""
    known(service, tournament)
    ids = service.rounds.universe(who, round)
    return shapes.UniverseOut(round=round, sha256=service.rounds.one(who, round).round.universe, ids=ids)


def _tournament(service: Service) -> shapes.TournamentOut:
    said, headers = service.settings.server, service.settings.rules.headers
    return shapes.TournamentOut(
        number=said.number,
        name=said.tournament,
        title=service.settings.name,
        ids=list(headers.ids),
        predictions=list(headers.predictions),
    )


def _details(service: Service, state: RoundState, who: Caller) -> shapes.RoundDetails:
    sums = service.rounds.overview(who, state.round.number)
    return shapes.RoundDetails(
        **_round(state, who).__dict__,
        on_time=sums.on_time,
        late=sums.late,
        at_risk=sums.at_risk,
        paid=sums.paid,
        burned=sums.burned,
        crowd=dict(sums.crowd),
    )


def _round(state: RoundState, who: Caller) -> shapes.RoundOut:
    round, progress = state.round, state.progress
    return shapes.RoundOut(
        number=round.number,
        stage=state.stage(who.now).value,
        open_time=round.open_time,
        close_time=round.close_time,
        resolve_time=round.resolve_time,
        scoring_times=list(round.scoring_times),
        scored_days=list(progress.scored_days),
        rule=round.rule,
        metrics=list(round.metrics),
        commitment=round.commitment,
        revealed=progress.revealed or None,
        universe=round.universe,
        features=round.features,
        n_bags=round.n_bags,
        final_bags=round.final_bags,
        ties=round.ties,
        beacon=round.beacon,
    )
