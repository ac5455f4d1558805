"""The mechanism lab as pages: what was said about the rules, what simulated crowds do, and what can be gamed."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from crowdalpha.lab.agents import AGENTS
from crowdalpha.lab.results import shipped
from crowdalpha.server.charts import Chart, remembered
from crowdalpha.server.pages.papers import link_of
from crowdalpha.server.pages.render import answer, chart_file
from crowdalpha.server.pages.route import not_found, pages
from crowdalpha.server.pages.visitors import door_of
from crowdalpha.server.views.experiments import chart_of, experiments, rulings, verdict_chart

router = pages()


@router.get("/lab")
def laboratory(request: Request) -> Response:
    """Every experiment with its answer, and every rule with its verdict."""
    return answer(request, "lab.html", found=experiments(), rulings=rulings(), results=shipped())


@router.get("/lab/verdicts")
def verdicts(request: Request) -> Response:
    """What is found of each rule, and what every agent earns under it."""
    chart = _drawn_once(request, "verdicts", verdict_chart())
    return answer(request, "verdicts.html", rulings=rulings(), agents=AGENTS, chart_of=chart, results=shipped())


@router.get("/lab/verdicts/{name}.{kind}")
def verdicts_file(request: Request, name: str, kind: str) -> Response:
    """The chart of the verdicts as a file."""
    return chart_file((verdict_chart(),), name, kind, "lab") or not_found(request)


@router.get("/lab/{experiment}")
def experiment(request: Request, experiment: str) -> Response:
    """One experiment: the claim, the answer, the chart, what was done and what theory says."""
    found, chart = shipped().finding(experiment), chart_of(experiment)
    if found is None or chart is None:
        return not_found(request)
    links = {source: link_of(source) for source in found.claim.sources}
    drawn = _drawn_once(request, experiment, chart)
    return answer(request, "experiment.html", found=found, chart_of=drawn, links=links, results=shipped())


@router.get("/lab/{experiment}/{name}.{kind}")
def experiment_file(request: Request, experiment: str, name: str, kind: str) -> Response:
    """The chart of an experiment as a file."""
    chart = chart_of(experiment)
    charts = () if chart is None else (chart,)
    return chart_file(charts, name, kind, f"lab-{experiment}") or not_found(request)


def _drawn_once(request: Request, name: str, chart: Chart) -> Chart:
    return remembered(chart, door_of(request).memory, ("lab", name))
