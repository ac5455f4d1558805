"""Charts and pages: what scores look like. A plot is a value first, then an SVG drawing, then part of a page."""

from __future__ import annotations

from .data import (
    Bars,
    CrowdReport,
    Diagnosis,
    Exposures,
    Heatmap,
    Interval,
    Leaderboard,
    LeaderboardRow,
    Lines,
    Neutralized,
    Persistence,
    Point,
    Run,
    Scatter,
    Series,
    Statistic,
    Vectors,
    as_json,
    contribution,
    cumulative,
)
from .ordering import arranged, order_by_likeness
from .report import crowd_report, diagnosis_report, season_report
from .season import Flows, Layer, Layers, Refusal, Ruling, SeasonReport, SeasonRow

__all__ = [
    "Bars",
    "CrowdReport",
    "Diagnosis",
    "Exposures",
    "Flows",
    "Heatmap",
    "Interval",
    "Layer",
    "Layers",
    "Leaderboard",
    "LeaderboardRow",
    "Lines",
    "Neutralized",
    "Persistence",
    "Point",
    "Refusal",
    "Ruling",
    "Run",
    "Scatter",
    "SeasonReport",
    "SeasonRow",
    "Series",
    "Statistic",
    "Vectors",
    "arranged",
    "as_json",
    "contribution",
    "crowd_report",
    "cumulative",
    "diagnosis_report",
    "order_by_likeness",
    "season_report",
]
