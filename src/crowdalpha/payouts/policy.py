"""What a payout policy is: anything that turns stakes and scores into signed payouts."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.parameters import Choice

Array = npt.NDArray[np.float64]


class Policy(Protocol):
    """A payout policy: a pure function of arrays, with the choices it leaves to a model.

    It promises that

    - payouts are linear in the stake: a model with twice the stake is paid twice as much;
    - a burn never exceeds the stake;
    - it does not round: money is rounded once, in settlement;
    - it asks nothing of the world: the same arrays give the same payouts.

    `choices` are the (CORR multiplier, MMC multiplier) pairs open to a model, the first being the default; empty
    means any. `window` is how many eras of scores it looks at: with 1, scores are (n_models,); with more, they
    are (window, n_models), oldest era first and the era being paid last.
    """

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The multiplier pairs open to a model."""

    @property
    def window(self) -> int:
        """How many eras of scores the policy looks at."""

    def payouts(
        self,
        stake: npt.ArrayLike,
        corr: npt.ArrayLike,
        mmc: npt.ArrayLike,
        *,
        corr_multiplier: npt.ArrayLike | None = None,
        mmc_multiplier: npt.ArrayLike | None = None,
        payout_factor: npt.ArrayLike = 1.0,
        metamodel_corr: npt.ArrayLike = np.nan,
    ) -> Array:
        """The signed payout of each model, in units of its stake: above 0 earned, below 0 burned.

        `stake` (n_models,) is at risk, `corr` and `mmc` are the era's scores (or the window's), the multipliers are
        what each model chose (None: the default choice), `payout_factor` in (0, 1] is the round's,
        `metamodel_corr` the metamodel's own CORR in the era, for policies that ask whether the era was hard.
        """
