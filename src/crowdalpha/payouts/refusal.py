"""What a payout refuses, as one small error: a stable code for scripts, a sentence for people."""

from __future__ import annotations


class PayoutError(ValueError):
    """A payout was refused. `problems` holds every (code, sentence) found, `code` is the first one's.

    >>> raise PayoutError(("stake_negative", "a stake is -1, expected 0 or more; pass what is at risk"))
    Traceback (most recent call last):
    ...
    crowdalpha.payouts.refusal.PayoutError: a stake is -1, expected 0 or more; pass what is at risk
    [stake_negative]
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{sentence} [{code}]" for code, sentence in problems))

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0][0]


def refuse_if_any(problems: list[tuple[str, str]]) -> None:
    """Raise one PayoutError that holds all the problems, or do nothing if there are none."""
    if problems:
        raise PayoutError(*problems)
