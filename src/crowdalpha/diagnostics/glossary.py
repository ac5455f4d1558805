"""What each number on the pages means, in a sentence or two."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the pages, its formula where one helps, and its meaning."""

    name: str
    meaning: str
    formula: str = ""


MMC2_IN_THREE_SENTENCES = (
    "MMC2 asks what a model knows that the crowd does not.",
    "The stakes of all models blend their ranked predictions into one metamodel; what the metamodel already says is "
    "taken out of a model’s predictions, and only the rest is compared with what really happened.",
    "Above zero the model makes the crowd better, at zero it repeats the crowd or guesses, and below zero the "
    "crowd is better off without what is special about it.",
)

TERMS = {
    "era": Term("Era", "One round of predictions about one set of ids; every score is computed within an era first."),
    "round": Term(
        "Round", "An era as it is played: it opens, takes predictions, closes, and is paid once the truth is known."
    ),
    "at_risk": Term(
        "At risk",
        "What a model has staked when a round closes that it sent predictions in for. The same stake may be at risk in "
        "several rounds at once.",
    ),
    "payout": Term(
        "Payout",
        "What a round adds to a stake or burns of it: a part of what is at risk, by the rule and the model’s scores. "
        "Earned is what the treasury paid, burned is gone.",
    ),
    "compounding": Term(
        "Compounding",
        "Nobody adds to a stake or takes from it: what a round pays or burns is in the stake from then on.",
    ),
    "metamodel": Term(
        "Metamodel",
        "The crowd’s own prediction: every staked model’s ranks, averaged with its stake as weight, and ranked again.",
        "m = uniform(Σ sⱼ uniform(pⱼ) / Σ sⱼ)",
    ),
    "stake": Term("Stake", "What a participant puts behind a model; it sets the model’s weight in the metamodel."),
    "share": Term("Share", "A model’s stake as a part of all stakes."),
    "corr": Term(
        "CORR",
        "How well ranked predictions line up with the target: 1 is a perfect order, 0 is chance, −1 is upside down.",
        "Pearson(uniform(p), t)",
    ),
    "mmc2": Term(
        "MMC2",
        "The covariance of the target with what is left of a model once the metamodel is taken out, on a scale close "
        "to CORR’s; 0 for a copy of the metamodel without bags, a little with them, and about 0 for noise.",
        "mean over bags of cov(u − projection of u on m, t) / 0.29²",
    ),
    "bags": Term(
        "Bags",
        "Random draws of the stakers. A metamodel is built from each and the scores are averaged, so that no score "
        "hangs on who exactly took part.",
    ),
    "interval": Term(
        "Interval",
        "The range that the mean plausibly lies in, had other eras been drawn. If it covers zero, luck is explanation "
        "enough.",
    ),
    "sharpe": Term(
        "Sharpe", "The mean score divided by its standard deviation over eras: how steady the edge is.", "mean / std"
    ),
    "rho": Term(
        "ρ", "The correlation of a model with the metamodel: the cosine of the angle between them.", "ρ = cos θ"
    ),
    "similarity": Term("Similarity", "The correlation of two models’ predictions, whatever really happened."),
    "persistence": Term(
        "Persistence",
        "Whether models that contributed in the first half of the eras did so in the second: the rank correlation "
        "(Spearman) of the two halves’ means.",
    ),
    "fnc": Term(
        "FNC",
        "What is left to score once everything linear in the features is taken out of the predictions, by Numerai’s "
        "correlation, which stresses the tails. 100% in the table of neutralisation is the CORR of the same residual.",
        "numerai_corr of neutralize(gaussianize(p), features)",
    ),
    "exposure": Term(
        "Feature exposure",
        "The correlation of the predictions with one feature. A large one is a bet that this feature goes on working.",
    ),
    "exposure_metrics": Term(
        "std, L2, RMS, max",
        "Four summaries of all exposures: their spread, their length, their typical size and the largest. The spread "
        "alone misses a model that is equally exposed to everything.",
    ),
    "drawdown": Term(
        "Drawdown",
        "How far the compounded score has fallen below its best so far; the deepest is the maximum drawdown.",
    ),
    "neutralization": Term(
        "Neutralising",
        "Taking a proportion of the features’ linear part out of the predictions: 0% leaves them as they are, 100% "
        "leaves nothing linear in any feature but what ranking brings back.",
        "neutralize(gaussianize(p), features, q) = z − q · projection of z on the features",
    ),
}


def terms(*names: str) -> tuple[Term, ...]:
    """The named terms, in the order asked for."""
    return tuple(TERMS[name] for name in names)
