"""Ranks on disk."""

import numpy as np
import pytest

from crowdalpha.scoring.problems import InputError
from crowdalpha.scoring.ranks import rank_models
from crowdalpha.tables.rankfile import RankFile, narrow, write_ranks


def crowd(n_ids=30, n_models=150):
    return np.random.default_rng(0).integers(0, 9, (n_ids, n_models)).astype(float)


@pytest.mark.parametrize("n_ids", [30, 40_000])
def test_what_is_written_is_read_in_any_pieces(tmp_path, n_ids):
    predictions = crowd(n_ids, 70)
    expected = rank_models(predictions).doubled
    file = write_ranks(tmp_path / "ranks.npy", [predictions[:, :1], predictions[:, 1:]], 70, n_ids)
    assert np.array_equal(file.rows(), expected)
    assert np.array_equal(file.rows(3, 68), expected[3:68])
    assert file.rows(5, 5).shape == (0, n_ids)
    assert np.array_equal(np.concatenate([block.copy() for block in file.blocks(2)]), expected[2:])
    assert np.array_equal(np.load(tmp_path / "ranks.npy", mmap_mode="r"), expected)


def test_the_narrowest_type_that_holds_every_rank_is_taken():
    assert narrow(np.array([[2**15 - 1] * 2**15])).dtype == "<i2"
    assert narrow(np.array([[2**15] * (2**15 + 1)])).dtype == "<i4"
    assert narrow(np.array([[2**15 - 1] * 2**15])).max() == 2**15 - 1


@pytest.mark.parametrize("told", [(149, 30), (151, 30), (150, 31)])
def test_a_crowd_of_another_size_than_told_is_refused_and_leaves_nothing(tmp_path, told):
    with pytest.raises(InputError, match="misaligned"):
        write_ranks(tmp_path / "ranks.npy", [crowd()], *told)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("harm", ["shorter", "longer", "text", "floats", "turned"])
def test_what_is_not_a_whole_file_of_ranks_is_refused(tmp_path, harm):
    path = tmp_path / "ranks.npy"
    content = write_ranks(path, [crowd()], 150, 30).path.read_bytes()
    harmed = {"shorter": content[:-1], "longer": content + b"0", "text": b"id,prediction\n" * 9}
    if harm in harmed:
        path.write_bytes(harmed[harm])
    else:
        array = np.zeros((4, 5), "<i2" if harm == "turned" else float)
        np.save(path, array.T if harm == "turned" else array)
    with pytest.raises(InputError, match="not_ranks"):
        RankFile.open(path)


def test_a_file_that_becomes_shorter_while_it_is_read_is_not_read_on(tmp_path):
    file = write_ranks(tmp_path / "ranks.npy", [crowd()], 150, 30)
    file.path.write_bytes(file.path.read_bytes()[:-60])
    with pytest.raises(EOFError):
        file.rows()
