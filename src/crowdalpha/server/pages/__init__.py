"""The pages: what people look at. Each is one view of the tournament put into one template; all work without scripts.

attach(app, service)
"""

from __future__ import annotations

from fastapi import FastAPI

from crowdalpha.server.pages import (
    account,
    assets,
    boards,
    coming,
    diagnosing,
    editing,
    experiments,
    handing,
    models,
    notices,
    papers,
    rounds,
)
from crowdalpha.server.pages.route import not_found, turned_away
from crowdalpha.server.pages.visitors import Door
from crowdalpha.server.service import Service
from crowdalpha.server.views.logs import LogReader
from crowdalpha.server.views.memory import Memory

__all__ = ["attach", "not_found", "turned_away"]

PAGES = (boards, models, rounds, papers, experiments, coming, account, editing, notices, handing, diagnosing, assets)


def attach(app: FastAPI, service: Service) -> None:
    """Add the pages to an application. The leaderboard is at `GET /`."""
    app.state.pages = Door(service, Memory(), LogReader())
    for module in PAGES:
        app.include_router(module.router)
