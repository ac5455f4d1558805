"""Small random crowds for property tests: coarse predictions full of ties, absent models, stakes, bags."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

LEVELS = np.array([0, 0.25, 0.5, 0.75, 1])


@dataclass
class Crowd:
    """One era: predictions (n_ids, n_models), stakes, a binned target, and bags that each hold a staker."""

    predictions: np.ndarray
    stakes: list[int]
    target: np.ndarray
    bags: np.ndarray | None

    @property
    def present(self):
        return ~np.isnan(self.predictions).any(axis=0)

    def pool(self):
        """What a slow witness needs: absent models have numbers that nobody staked on."""
        stakes = [s if there else 0 for s, there in zip(self.stakes, self.present, strict=True)]
        return np.where(self.present, self.predictions, 0.0), stakes


def random_predictions(rng, n_ids, n_models, coarse):
    """Normal draws, rounded so coarsely for some models that many ids tie, or all of them."""
    values = rng.normal(size=(n_ids, n_models))
    if coarse:
        values = np.round(values * rng.choice([0.2, 0.7, 2.0, 30.0], n_models))
    return values


def varying_target(rng, n_ids, levels=LEVELS):
    """A binned target with at least two values."""
    target = rng.choice(levels, n_ids)
    target[:2] = levels[0], levels[-1]
    return rng.permutation(target)


def random_bags(rng, stakes, n_bags):
    """Multiplicities drawn among the stakers, never none in a bag."""
    stakers = np.flatnonzero(stakes)
    bags = np.zeros((n_bags, len(stakes)), int)
    for bag in bags:
        np.add.at(bag, rng.choice(stakers, max(1, round(0.67 * len(stakers)))), 1)
    return bags


def random_crowd(seed, *, coarse=True, absent=True, bagged=True, min_ids=2, max_ids=25, max_models=6):
    rng = np.random.default_rng(seed)
    n_ids, n_models = int(rng.integers(min_ids, max_ids + 1)), int(rng.integers(1, max_models + 1))
    predictions = random_predictions(rng, n_ids, n_models, coarse)
    stakes = np.rint(rng.lognormal(6, 2, n_models)).astype(int) + 1
    stakes[rng.random(n_models) < 0.25] = 0
    missing = (rng.random(n_models) < 0.2) if absent else np.zeros(n_models, bool)
    keeper = int(rng.integers(n_models))
    stakes[keeper], missing[keeper] = stakes[keeper] or 7, False
    predictions[:, missing] = np.nan
    bags = random_bags(rng, np.where(missing, 0, stakes), int(rng.integers(1, 4))) if bagged else None
    return Crowd(predictions, stakes.tolist(), varying_target(rng, n_ids), bags)


def features_for(crowd, seed, n_features=3):
    """Features in five levels, as a tournament gives them."""
    return np.random.default_rng(seed).integers(0, 5, (len(crowd.target), n_features)) / 4


seeds = st.integers(0, 2**32 - 1)
crowds = st.builds(random_crowd, seeds, coarse=st.booleans(), bagged=st.booleans())
full_crowds = st.builds(random_crowd, seeds, coarse=st.booleans(), bagged=st.booleans(), absent=st.just(False))
tie_rules = st.sampled_from(["average", "first"])


def distinct_columns(n_ids, n_models):
    """Predictions without a single tie."""
    column = st.permutations(range(n_ids)).map(np.array)
    return st.lists(column, min_size=n_models, max_size=n_models).map(np.column_stack)


coarse_columns = hnp.arrays(np.float64, st.integers(2, 30), elements=st.sampled_from([-2.0, -0.5, 0.0, 1.0, 3.0]))
