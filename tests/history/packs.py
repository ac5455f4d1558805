"""Small histories on disk, and what scoring them in one piece gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdalpha import scoring
from crowdalpha.history import PackedEra, Rule, write_era
from crowdalpha.tables.alignment import seed_of_era

Arrays = dict[str, np.ndarray]


def crowd(label: int, n_models: int, n_ids: int) -> Arrays:
    """Predictions with ties, stakes of which some are 0, a target in five bins."""
    rng = np.random.default_rng(label)
    return {
        "predictions": rng.normal(size=(n_ids, n_models)).round(2),
        "stakes": np.append(rng.integers(0, 3, n_models - 1) * rng.integers(1, 10**12, n_models - 1), 5),
        "target": rng.permutation(np.arange(n_ids) % 5) / 4,
    }


def packed(folder: Path, label: int, n_models: int = 7, n_ids: int = 30, seed: int | None = None) -> PackedEra:
    """An era of a history; `seed` gives it other content under the same name."""
    found = crowd(label if seed is None else seed, n_models, n_ids)
    models, ids = [f"model{j:06d}" for j in range(n_models)], [f"id{i:05d}" for i in range(n_ids)]
    parts = np.array_split(found["predictions"], 3, axis=1)
    return write_era(folder, label, parts, models, found["stakes"], ids, found["target"])


def in_one_piece(found: Arrays, label: int, rule: Rule) -> Arrays:
    """CORR and MMC2 by the plain functions."""
    bags = (
        scoring.draw_bags(found["stakes"], n_bags=rule.bags, seed=seed_of_era(rule.seed, label)) if rule.bags else None
    )
    predictions, target = found["predictions"], found["target"]
    return {
        "corr": scoring.corr(predictions, target, ties=rule.ties),
        "mmc2": scoring.mmc2(predictions, found["stakes"], target, bags=bags, ties=rule.ties),
    }


def same(found: Arrays, expected: Arrays) -> bool:
    """Whether all scores are the same bits."""
    return found.keys() == expected.keys() and all(found[name].tobytes() == expected[name].tobytes() for name in found)
