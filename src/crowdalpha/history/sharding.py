"""One era over many workers: each reads its own shard of the models, twice, and what they find adds up exactly.

pass 1   a shard -> its whole sums          added here as they arrive, for their order does not matter
here     all sums -> the metamodels         shared with every worker
pass 2   a shard -> its models' scores      put in their places
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crowdalpha.execution import Executor
from crowdalpha.history.eras import PackedEra
from crowdalpha.history.rule import Rule
from crowdalpha.scoring.arrays import Floats, Mask
from crowdalpha.scoring.bags import draw_bags, draws
from crowdalpha.scoring.metrics import Era, evaluate
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.scoring.ranks import Ranks
from crowdalpha.scoring.shards import SHARDED, Judge, Metamodels, Weights, partial_sums, pool, score_shard, weigh
from crowdalpha.tables.alignment import seed_of_era
from crowdalpha.tables.rankfile import RankFile

SHARD = 2**25
"""Ranks of a shard, about: what a core scores in a second or less."""
SHARES, LEAST = 8, 256
"""Shards of a small crowd, at most, and models of each, at least."""
Progress = Callable[[int, int, str], None] | None
Span = tuple[int, int]
Scores = dict[str, Floats]


def score_sharded(
    executor: Executor, era: PackedEra, rule: Rule | None = None, *, shard: int | None = None, progress: Progress = None
) -> Scores:
    """The scores of every model of an era by a rule, {metric: (n_models,)}, worked out by the executor's workers.

    shard: models of a shard. progress: called with (shards done, shards in all, what is done to them). The same bits as
    `scoring.corr`, `scoring.mmc2` and the others of `SHARDED` give for the crowd in one piece, for any executor, any
    shards, and whoever dies meanwhile. Metrics that compare models with each other are worked out in one piece.
    """
    rule = rule or Rule()
    target = era.target
    if not set(rule.metrics) <= set(SHARDED) or (target == target[0]).all():
        return _in_one_piece(era, rule, target)
    spans = list(_spans(era.n_models, shard or _shard(era)))
    path = era.ranks.path
    metamodels = _pooled(executor, era, rule, spans, progress) if rule.pools else _nobody(era.n_ids, rule)
    features = _features(era) if rule.needs_features else None
    shared = executor.share((path, metamodels, Judge.of(metamodels, target), rule.metrics, features))
    scores = {name: np.empty(era.n_models) for name in rule.metrics}
    for done, (i, found) in enumerate(executor.run(shard_scores, spans, shared), 1):
        for name, values in found.items():
            scores[name][slice(*spans[i])] = values
        if progress:
            progress(done, len(spans), "Scoring")
    return scores


def shard_sums(item: tuple[int, int, Weights], shared: tuple[Path, str]) -> Any:
    """Pass 1, by a worker: the sums of a shard."""
    (start, stop, weights), (path, ties) = item, shared
    return partial_sums(RankFile.open(path).blocks(start, stop), weights, ties)


def shard_scores(span: Span, shared: tuple[Path, Metamodels, Judge, tuple[str, ...], Floats | None]) -> Scores:
    """Pass 2, by a worker: the scores of a shard."""
    path, metamodels, judge, metrics, features = shared
    blocks = RankFile.open(path).blocks(*span)
    found = [score_shard(rows, metamodels, judge, metrics=metrics, features=features) for rows in blocks]
    return {name: np.concatenate([scores[name] for scores in found]) for name in metrics}


def _shard(era: PackedEra) -> int:
    """Models of a shard: few enough for several workers to have some, and enough to be worth handing out."""
    return max(min(SHARD // era.n_ids, max(era.n_models // SHARES, LEAST)), 1)


def _spans(n_models: int, shard: int) -> Iterator[Span]:
    return ((start, min(start + shard, n_models)) for start in range(0, n_models, shard))


def _pooled(executor: Executor, era: PackedEra, rule: Rule, spans: list[Span], progress: Progress) -> Metamodels:
    weights = weigh(era.stakes, _bags(era, rule), era.n_ids)
    items = ((*span, weights.of(slice(*span))) for span in spans)
    total: Any = 0
    for done, (_, sums) in enumerate(
        executor.run(shard_sums, items, executor.share((era.path("ranks"), rule.ties))), 1
    ):
        total = total + sums
        if progress:
            progress(done, len(spans), "Pooling")
    return pool(total, weights, rule.ties)


def _bags(era: PackedEra, rule: Rule) -> Iterator[Any]:
    """The rows of the bags one at a time; one of everybody if the rule draws none."""
    if not rule.bags:
        return iter([np.ones(era.n_models, np.int64)])
    return draws(era.stakes, n_bags=rule.bags, seed=seed_of_era(rule.seed, era.label))


def _nobody(n_ids: int, rule: Rule) -> Metamodels:
    """In the place of metamodels that no metric asks for."""
    return Metamodels(Ranks(np.zeros((1, n_ids), np.int32), _all(1), rule.ties), np.full(n_ids, 0.5))  # type: ignore[arg-type]  # a rule has checked its ties


def _all(n: int) -> Mask:
    return np.ones(n, bool)


def _features(era: PackedEra) -> Floats:
    features = era.features
    if features is None:
        fix = "pack the era with its features"
        raise InputError(Problem("no_features", "an era with features", "none", fix, "metrics"))
    return features


def _in_one_piece(era: PackedEra, rule: Rule, target: Floats) -> Scores:
    stakes = era.stakes
    drawn = rule.bags and stakes.any()
    bags = draw_bags(stakes, n_bags=rule.bags, seed=seed_of_era(rule.seed, era.label)) if drawn else None
    ranks = era.ranks.rows().T.astype(np.float64)
    features = _features(era) if rule.needs_features else None
    return evaluate(rule.metrics, Era(ranks, target, stakes, bags, features, ties=rule.ties))
