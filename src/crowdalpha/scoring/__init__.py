"""Scores: arrays in, arrays out. The equations are in docs/scoring.md, their sources in docs/bibliography.md."""

from crowdalpha.scoring.bags import draw_bags
from crowdalpha.scoring.contribution import bmc, cwmm, mmc1, mmc2, mmc2_by_bag, mmc2024
from crowdalpha.scoring.correlation import corr, fnc, fnc_2021, numerai_corr
from crowdalpha.scoring.eras import Summary, bag_standard_error, corr_mmc_sharpe, summarize
from crowdalpha.scoring.exposure import ExposureMetrics, exposure_metrics, exposures
from crowdalpha.scoring.metamodel import metamodel
from crowdalpha.scoring.metrics import METRICS, Era, Metric
from crowdalpha.scoring.neutral import neutralize, neutralize_target, normalize_and_neutralize
from crowdalpha.scoring.pairwise import apcwnm, mcwnm, similarity
from crowdalpha.scoring.portfolio import alpha, mpc
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks, gaussianize, rank, rank_models, signed_power, uniform

__all__ = [
    "METRICS",
    "Era",
    "ExposureMetrics",
    "InputError",
    "Metric",
    "Problem",
    "Ranks",
    "Summary",
    "alpha",
    "apcwnm",
    "bag_standard_error",
    "bmc",
    "corr",
    "corr_mmc_sharpe",
    "cwmm",
    "draw_bags",
    "exposure_metrics",
    "exposures",
    "fnc",
    "fnc_2021",
    "gaussianize",
    "mcwnm",
    "metamodel",
    "mmc1",
    "mmc2",
    "mmc2_by_bag",
    "mmc2024",
    "mpc",
    "neutralize",
    "neutralize_target",
    "normalize_and_neutralize",
    "numerai_corr",
    "rank",
    "rank_models",
    "signed_power",
    "similarity",
    "summarize",
    "uniform",
]
