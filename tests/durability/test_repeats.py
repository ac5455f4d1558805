"""Whoever did not hear the answer asks again, however late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from play import SECOND, STEPS, opened, state_of, upload
from undisturbed import Undisturbed

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError

LATER = SECOND.resolve_time + timedelta(days=30)


@pytest.fixture
def over(tmp_path: Path) -> Iterator[Engine]:
    """A tournament in which everything has happened."""
    with opened(tmp_path) as engine:
        for step in STEPS.values():
            step(engine)
        yield engine


def test_a_play_that_is_played_twice_is_played_once(over: Engine, undisturbed: Undisturbed, tmp_path: Path) -> None:
    for step in STEPS.values():
        step(over)
    assert state_of(tmp_path) == undisturbed.states[-1]


def test_a_submission_that_is_sent_again_when_its_round_is_over_has_the_receipt_it_had(
    over: Engine, undisturbed: Undisturbed
) -> None:
    assert over.submit("1-ada", "ada", upload("ada"), LATER) == undisturbed.answers["submit-ada"]


@pytest.mark.parametrize(("model", "salt"), [("ada", 1), ("bob", 0)])
def test_another_submission_under_the_same_id_is_refused_when_its_round_is_over(
    model: str, salt: int, over: Engine
) -> None:
    with pytest.raises(InputError) as refused:
        over.submit("1-ada", model, upload("ada", salt), LATER)
    assert refused.value.code == "id_taken"


def test_a_change_of_stake_that_is_cancelled_again_was_cancelled_once(over: Engine, tmp_path: Path) -> None:
    before = state_of(tmp_path)
    assert over.stake_cancel("wrong", LATER).status == "cancelled"
    assert state_of(tmp_path) == before
