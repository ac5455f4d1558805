"""The numbers printed on the scoring page are the numbers the code gives."""

import re
from pathlib import Path

import numpy as np
import pytest

from crowdalpha.scoring import corr, metamodel, mmc1, mmc2, mmc2024, numerai_corr

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
MODELS = "abcd"


def rows(*first_cells):
    """The cells of the table rows that begin with one of these, in the order of the page."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    return [line[1:] for line in lines if line[0] in first_cells]


def numbers(cell):
    return np.array([float(number) for number in re.findall(r"-?\d*\.?\d+", cell)])


@pytest.fixture
def printed():
    found = rows(*MODELS)
    crowd = np.column_stack([numbers(values) for _, values in found[:4]])
    stakes = [int(stake) for stake, _ in found[:4]]
    scores = np.array([[float(cell) for cell in cells] for cells in found[4:]])
    return numbers(rows("t")[-1][-1]), crowd, stakes, scores


def test_the_table_of_four_models_is_what_the_code_gives(printed):
    target, crowd, stakes, scores = printed
    m = metamodel(crowd, stakes)
    given = [
        corr(crowd, target),
        mmc2(crowd, stakes, target),
        mmc1(crowd, stakes, target, ties="first"),
        mmc1(crowd, stakes, target),
        mmc2024(crowd, m, target, target_scale=4),
        numerai_corr(crowd, target),
    ]
    assert scores.shape == (4, 6)
    assert np.abs(np.column_stack(given) - scores).max() <= 1e-12


@pytest.mark.parametrize(
    ("shares", "k", "ceiling"), [((20,) * 5, 1.21, 0.979796), ((5, 20, 50, 20, 5), 0.77, 0.910151)]
)
def test_the_size_of_mmc2_and_the_ceiling_of_corr_are_as_printed(shares, k, ceiling):
    target = np.repeat([0, 0.25, 0.5, 0.75, 1], np.array(shares) * 50)
    model = np.arange(len(target))
    factor = np.std((model + 0.5) / len(target), ddof=1) * target.std(ddof=1) / 0.29**2
    assert round(factor, 2) == k
    assert corr(model, target) == pytest.approx(ceiling, abs=5e-7)


def test_the_own_stake_of_a_model_enters_mmc1_through_the_mean_alone(printed):
    target, crowd, stakes, _ = printed
    before = mmc1(crowd, stakes, target)
    after = mmc1(crowd, [1000, *stakes[1:]], target)
    assert before[0] != after[0]
    assert mmc1(crowd[:, :1], [5], target) == mmc1(crowd[:, :1], [5000], target)
