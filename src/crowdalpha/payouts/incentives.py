"""What a payout does to a participant: the closed forms behind the arguments about rules."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.numbers import floats, is_real
from crowdalpha.payouts.policy import Array
from crowdalpha.payouts.refusal import PayoutError


def contrarian_profit(coefficient: float, easy_share: float) -> float:
    """What betting against the metamodel earns an era, in units of its score size x, under a hard-era coefficient c.

        c P(hard) - P(easy)

    He loses x in easy eras and earns c x in hard ones. `easy_share` is P(easy), in [0, 1]. [F93#17]

    >>> [round(contrarian_profit(c, 0.6), 12) for c in (1.5, 1.3, 1.0)]
    [0.0, -0.08, -0.2]
    """
    _require_share(easy_share)
    if not is_real(coefficient):
        raise PayoutError(("coefficient", f"the coefficient is {coefficient!r:.80}, expected a finite number"))
    return coefficient * (1 - easy_share) - easy_share


def break_even_coefficient(easy_share: float) -> float:
    """The largest hard-era coefficient that is safe: P(easy) / P(hard); infinite if no era is hard.

    >>> round(break_even_coefficient(0.6), 12)
    1.5
    """
    _require_share(easy_share)
    return easy_share / (1 - easy_share) if easy_share < 1 else float("inf")


def growth_rate(win_share: float, step: float, payout: Callable[[npt.ArrayLike], npt.ArrayLike] = np.asarray) -> float:
    """Growth per round of a stake that compounds, with scores of +step and -step.

        g = (1 + f(step))^q (1 + f(-step))^(1-q) - 1

    q: share of rounds won. f: the payout as a fraction of the stake, by default the score itself.

    >>> from crowdalpha.payouts.proposals import log_symmetric
    >>> round(100 * growth_rate(0.55, 0.1), 3), round(100 * growth_rate(0.55, 0.1, log_symmetric), 3)
    (0.502, 0.958)
    """
    _require_share(win_share)
    if not is_real(step):
        raise PayoutError(("step", f"the step is {step!r:.80}, expected a finite number"))
    gain, loss = (np.log1p(floats(payout(side), "payout")) for side in (step, -step))
    return float(np.expm1(win_share * gain + (1 - win_share) * loss))


def blend_weights(correlations: npt.ArrayLike) -> Array:
    """Weights of the best blend of uncorrelated signals: in proportion to their correlations with the target.

        w_i = r_i / sum |r|        |w| sums to 1; a signal that is wrong on average enters with a minus

    Why a weak but independent model is worth paying for. [F93#20]

    >>> blend_weights([0.03, 0.01])
    array([0.75, 0.25])
    """
    signals = _correlations(correlations)
    total = np.sum(np.abs(signals))
    if total == 0:
        raise PayoutError(("no_signal", "every correlation is 0; there is nothing to blend"))
    return np.asarray(signals / total)


def blend_corr(correlations: npt.ArrayLike) -> float:
    """The correlation of the best blend of uncorrelated signals: sqrt(sum r_i^2). [F93#20]

    >>> round(blend_corr([0.03, 0.01]), 6)
    0.031623
    """
    return float(np.linalg.norm(_correlations(correlations)))


def _correlations(values: npt.ArrayLike) -> Array:
    signals = floats(values, "correlations")
    if signals.ndim != 1 or not signals.size or not bool(np.all(np.abs(signals) <= 1)):
        raise PayoutError(("correlation_range", f"expected a list of correlations from -1 to 1, found {signals}"))
    return signals


def _require_share(share: float) -> None:
    if not is_real(share) or not 0 <= share <= 1:
        raise PayoutError(("share_range", f"a share is {share!r:.80}, expected a number from 0 to 1"))
