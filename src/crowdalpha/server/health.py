"""/health and /metrics: for those who watch over the server."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from crowdalpha.server.clock import Clock
from crowdalpha.server.rest.answers import Told
from crowdalpha.server.rest.asking import Serving

routes = APIRouter(route_class=Told, tags=["operation"])


class Health(BaseModel):
    """How the server is."""

    status: Literal["ok", "failing"]
    store: bool = True
    clock: bool | None = None


async def clock_of(request: Request) -> Clock | None:
    """The server's clock, if it has one of its own."""
    found: Clock | None = request.app.state.clock
    return found


@routes.get("/health/live")
async def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@routes.get("/health/ready")
def ready(service: Serving, clock: Annotated[Clock | None, Depends(clock_of)], response: Response) -> Health:
    """The store answers and the clock ticks; else 503."""
    try:
        with service.engine.store.reading() as work:
            work.balance("treasury")
        store = True
    except Exception:  # whatever the database says, the answer is that it is not there
        store = False
    ticking = clock.alive if clock is not None else None
    well = store and ticking is not False
    response.status_code = 200 if well else 503
    return Health(status="ok" if well else "failing", store=store, clock=ticking)


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Numbers as Prometheus reads them."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
