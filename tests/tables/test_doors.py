"""What tables, stakes and options may not be, each refused by its code and place and never by a traceback."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import column

from crowdalpha.cli.notices import is_about
from crowdalpha.scoring.problems import InputError
from crowdalpha.tables.files import read_predictions, read_table, write_table
from crowdalpha.tables.frames import eras, score

IDS = ["a", "b", "c", "d"]
CROWD = pa.table({"id": IDS, "first": column([1, 2, 3, 4]), "second": column([2, 1, 4, 3])})
TARGETS = pa.table({"id": IDS, "target": column([0, 0.5, 0.5, 1])})
BOTH = {"first": 1, "second": 1}
LONG = pa.array([2**60 + i for i in range(4)])


def problems(*args, **kwargs):
    with pytest.raises(InputError) as refusal:
        score(*args, **kwargs)
    return refusal.value.problems


def codes(*args, **kwargs):
    return [problem.code for problem in problems(*args, **kwargs)]


def stakes_of(stakes):
    """The stakes of the first and the second model as `score` reads them."""
    (era,) = eras(CROWD, TARGETS, stakes)
    return era.stakes


def with_column(name, values):
    """The crowd as pandas, with one more column or another one in its place."""
    return CROWD.to_pandas().assign(**{name: values})


# --- stakes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stake",
    [2**62, 2**63, 2**70, 10**400, 10**5000, 1e300, np.uint64(2**63), np.longdouble(1e300), Decimal("1e400")],
    ids=lambda stake: type(stake).__name__,
)
def test_a_stake_too_large_to_count_is_refused_by_its_model(stake):
    (found,) = problems(CROWD, TARGETS, BOTH | {"first": stake})
    assert (found.code, found.where) == ("bad_stake", "stakes, model first")


def test_a_column_of_stakes_too_large_to_count_is_refused():
    table = pa.table({"model": ["first", "second"], "stake": pa.array([2**63, 1], pa.uint64())})
    assert codes(CROWD, TARGETS, table) == ["bad_stake"]


@pytest.mark.parametrize("stake", [1e-12, Decimal("1e-12"), Decimal("1e-999999")])
def test_a_stake_too_small_to_count_is_refused_by_its_model(stake):
    (found,) = problems(CROWD, TARGETS, BOTH | {"first": stake})
    assert (found.code, found.where) == ("stake_too_small", "stakes, model first")


@pytest.mark.parametrize("stake", [Decimal("NaN"), Decimal("sNaN"), Decimal("-1"), Decimal("inf"), [1], 1j, True])
def test_a_stake_that_is_no_number_from_zero_on_is_refused(stake):
    assert codes(CROWD, TARGETS, BOTH | {"first": stake}) == ["bad_stake"]


def test_decimal_stakes_count_to_the_last_of_nine_decimals():
    stakes = {"first": Decimal("1234567.123456789"), "second": Decimal("1.5")}
    assert stakes_of(stakes).tolist() == [1_234_567_123_456_789, 1_500_000_000]
    table = pa.table({"model": list(stakes), "stake": pa.array(list(stakes.values()), pa.decimal128(20, 9))})
    assert stakes_of(table).tolist() == stakes_of(stakes).tolist()


def test_integers_and_floats_beside_decimals_are_coins():
    assert stakes_of({"first": Decimal("0.5"), "second": 2}).tolist() == [500_000_000, 2_000_000_000]
    assert stakes_of({"first": Decimal("0.5"), "second": 0.1}).tolist() == [500_000_000, 100_000_000]


@given(st.decimals(0, 4_000_000_000, places=9))
def test_a_decimal_stake_is_its_whole_number_of_billionths(stake):
    assert stakes_of({"first": stake, "second": Decimal(1)})[0] * Decimal("1e-9") == stake


def test_a_table_of_stakes_with_a_column_twice_is_refused():
    twice = pa.Table.from_arrays([pa.array(["first"]), pa.array([1]), pa.array([2])], ["model", "stake", "stake"])
    assert codes(CROWD, TARGETS, twice) == ["duplicate_columns"]


@pytest.mark.parametrize("kind", [pa.string(), pa.timestamp("ns"), pa.list_(pa.int64())])
def test_a_column_of_stakes_that_holds_no_numbers_is_refused(kind):
    assert codes(CROWD, TARGETS, pa.table({"model": ["first"], "stake": pa.nulls(1, kind)})) == ["not_numeric"]


# --- keys ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        pd.period_range("2020-01", periods=4, freq="M"),
        pd.interval_range(0, 4),
        [[1], [2], [3], [4]],
        [{"x": 1}] * 4,
        np.array([2**63, 1, 2, 3], np.uint64),
        [1e300, 1.0, 2.0, 3.0],
        [True, False, True, False],
    ],
    ids=["periods", "intervals", "lists", "records", "past int64", "1e300", "booleans"],
)
def test_eras_that_are_neither_text_nor_dates_nor_whole_are_refused(values):
    targets = TARGETS.append_column("era", pa.array([1, 2, 3, 4]))
    assert codes(with_column("era", values), targets) == ["bad_key_type"]


@pytest.mark.parametrize("kind", [pa.month_day_nano_interval(), pa.binary(), pa.dictionary(pa.int8(), pa.bool_())])
def test_eras_of_other_arrow_types_are_refused(kind):
    eras_ = pa.nulls(4, kind)
    assert codes(CROWD.append_column("era", eras_), TARGETS.append_column("era", eras_)) == ["bad_key_type"] * 2


@pytest.mark.parametrize("values", [[[1], [2], [3], [4]], [{"x": 1}] * 4], ids=["lists", "records"])
def test_ids_that_are_lists_or_records_are_refused(values):
    assert codes(with_column("id", values), TARGETS) == ["bad_key_type"]


def test_numbers_past_int64_and_halves_of_characters_are_refused_in_any_column():
    assert codes(with_column("era", pd.Series([2**70, 1, 2, 3], dtype=object)), TARGETS) == ["too_many_digits"]
    assert codes(with_column("id", pd.Series(["\ud800", "b", "c", "d"], dtype=object)), TARGETS) == ["not_utf8"]


@pytest.mark.parametrize(
    "names",
    [{"era": "corr"}, {"era": "model"}, {"id": "model"}, {"era": 5}, {"id": None}, {"id": "stake"}, {"era": "id"}],
    ids=str,
)
def test_a_key_with_the_name_of_another_column_is_refused(names):
    (found,) = problems(CROWD, TARGETS, metrics=["corr"], **names)
    assert (found.code, found.where) == ("bad_key", "id" if names == {"era": "id"} else next(iter(names)))


def test_a_metric_that_nobody_asked_for_leaves_its_name_to_a_key():
    named = CROWD.append_column("corr", pa.array([7] * 4)), TARGETS.append_column("corr", pa.array([7] * 4))
    assert score(*named, metrics="mmc2", era="corr").column_names == ["corr", "model", "mmc2"]


# --- numbers ---------------------------------------------------------------------------------------------------


def test_whole_numbers_of_too_many_digits_are_refused_by_column():
    arrow = CROWD.set_column(1, "first", LONG)
    for longer in (arrow, pl.from_arrow(arrow), arrow.to_pandas()):
        (found,) = problems(longer, TARGETS)
        assert (found.code, found.where) == ("too_many_digits", "predictions, era 1, model first")
    assert codes(CROWD, TARGETS.set_column(1, "target", LONG)) == ["too_many_digits"]
    features = pa.table({"id": IDS, "f": LONG})
    assert codes(CROWD, TARGETS, features=features, metrics="fnc") == ["too_many_digits"]
    rows = pa.table({"id": IDS, "model": ["m"] * 4, "prediction": LONG})
    assert codes(rows, TARGETS) == ["too_many_digits"]


LAYOUTS = {
    "wide": pa.table({"id": IDS, "first": LONG, "second": column([2, 1, 4, 3])}),
    "long": pa.table(
        {"id": IDS * 2, "model": ["first"] * 4 + ["second"] * 4, "prediction": [*LONG.to_pylist(), 2, 1, 4, 3]}
    ),
}


@pytest.mark.parametrize("ending", ["", ".csv", ".parquet"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("digits", [0, 20])
def test_too_many_digits_leave_out_their_model_and_nobody_else(tmp_path, layout, ending, digits):
    crowd = LAYOUTS[layout]
    if ending:
        path = tmp_path / f"crowd{ending}"
        write_table(crowd, path)
        if digits and ending == ".csv":  # numbers of more digits than an int64 has
            path.write_text(path.read_text().replace(str(2**60)[:9], str(2**60)[:9] + "1" * digits))
        crowd = path
    left = []
    found = score(crowd, TARGETS, BOTH, bags=0, invalid="leave_out", problems=left)
    alone = score(CROWD.drop_columns("first"), TARGETS, {"second": 1}, bags=0)
    assert found.slice(1).to_pylist() == alone.to_pylist()
    assert found["corr"].to_pylist()[0] is None
    assert {problem.code for problem in left} == {"too_many_digits"}
    assert all(is_about(problem, "first") and not is_about(problem, "second") for problem in left)


def test_a_hole_in_a_column_of_long_whole_numbers_hides_no_digit():
    with_hole = pa.array([2**60 + 1, None, 3, 4])
    assert codes(CROWD.set_column(1, "first", with_hole), TARGETS) == ["nan_in_predictions", "too_many_digits"]


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_only_the_model_with_too_many_digits_is_left_out_and_only_where_it_has_them(layout):
    eras_, again = [1] * 4 + [2] * 4, [*IDS, *IDS]
    longer = {"long": [2**60 + 1, 2, 3, 4, 1, 2, 3, 4], "short": [1, 2, 3, 4, 4, 2, 3, 1]}
    crowd = pa.table({"era": eras_, "id": again, **longer})
    if layout == "long":
        rows = {"model": ["long"] * 8 + ["short"] * 8, "prediction": longer["long"] + longer["short"]}
        crowd = pa.table({"era": eras_ * 2, "id": again * 2, **rows})
    targets = pa.table({"era": eras_, "id": again, "target": column([0, 1, 2, 3] * 2)})
    left = []
    scores = score(crowd, targets, metrics=["corr"], invalid="leave_out", problems=left)
    assert [(p.code, p.where) for p in left] == [("too_many_digits", "predictions, era 1, model long")]
    assert [value is None or value != value for value in scores["corr"].to_pylist()] == [True, False, False, False]


def test_a_misspelt_column_of_predictions_is_not_taken_for_a_table_of_models():
    rows = pa.table({"id": IDS, "model": ["m"] * 4, "predicton": column([1, 2, 3, 4])})
    (found,) = problems(rows, TARGETS)
    assert (found.code, "predicton" in found.found) == ("missing_columns", True)


def test_decimals_are_refused_only_where_two_of_them_would_become_one():
    kind = pa.decimal128(38, 20)
    apart = pa.array([Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), None], kind).fill_null(Decimal(0))
    merged = pa.array([Decimal("0.1"), Decimal("0.10000000000000000001"), Decimal(0), Decimal(1)], kind)
    assert score(CROWD.set_column(1, "first", apart), TARGETS).num_rows == 2
    assert codes(CROWD.set_column(1, "first", merged), TARGETS) == ["too_many_digits"]


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_enormous_numbers_are_refused_by_model_and_id(layout):
    crowd = pa.table({"id": IDS, "first": column([1, 2, 3, 1.7e308])})
    if layout == "long":
        crowd = pa.table({"id": IDS, "model": ["first"] * 4, "prediction": crowd["first"]})
    (found,) = problems(crowd, TARGETS)
    assert (found.code, found.where) == ("too_large", "predictions, era 1, model first")
    assert found.found.endswith("ids d")


def test_enormous_targets_and_features_are_refused_with_their_ids():
    assert codes(CROWD, TARGETS.set_column(1, "target", column([0, 1, 2, -1e200]))) == ["too_large"]
    features = pa.table({"id": IDS, "f": column([0, np.nan, 2, 1e200])})
    assert codes(CROWD, TARGETS, features=features, metrics="fnc") == ["nan_in_features", "too_large"]


def test_a_sparse_column_is_told_from_what_is_no_table():
    sparse = with_column("first", pd.arrays.SparseArray([0, 0, 0, 1.0]))
    (found,) = problems(sparse, TARGETS)
    assert (found.code, "Sparse" in found.found, "to_dense" in found.fix) == ("cannot_convert", True, True)


# --- options ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bags", ["a", 2.5, True, [20], np.nan])
def test_bags_are_a_whole_number(bags):
    assert codes(CROWD, TARGETS, bags=bags) == ["bad_bags"]


@pytest.mark.parametrize("seed", [None, [1], 1.0, True, "\ud800"], ids=ascii)
def test_a_seed_is_a_number_a_text_or_bytes_even_without_bags(seed):
    assert codes(CROWD, TARGETS, seed=seed) == codes(CROWD, TARGETS, seed=seed, bags=0) == ["bad_seed"]


@pytest.mark.parametrize(
    ("metrics", "code"),
    [(5, "bad_metrics"), (None, "bad_metrics"), ([["corr"]], "unknown_metric"), ([5, "corr"], "unknown_metric")],
)
def test_metrics_are_names(metrics, code):
    assert codes(CROWD, TARGETS, metrics=metrics) == [code]
    with pytest.raises(InputError, match=code):
        eras(CROWD, TARGETS, metrics=metrics)


# --- files -----------------------------------------------------------------------------------------------------


def test_a_cell_of_too_many_digits_is_refused_by_its_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"id,prediction\nx,{2**60 + 1}\ny,0.5\nz,{10**30}\nu,{2**60}\nv,{10**22}\n")
    with pytest.raises(InputError) as refusal:
        read_table(path)
    rows = [(p.code, p.found, p.where[-5:]) for p in refusal.value.problems]
    assert rows == [("too_many_digits", repr(str(n)), row) for n, row in ((2**60 + 1, "row 2"), (10**30, "row 4"))]


def test_a_file_of_a_folder_is_refused_by_the_rows_that_no_score_can_hold(tmp_path):
    folder = tmp_path / "round"
    folder.mkdir()
    (folder / "a.csv").write_text(f"id,prediction\nx,{2**60 + 1}\ny,1\n")
    (folder / "b.csv").write_text("id,prediction\nx,1e200\ny,1\n")
    (folder / "c.csv").write_text("id,prediction\nx,2\ny,1\n")
    with pytest.raises(InputError) as refusal:
        read_predictions(folder)
    found = [(p.code, p.where.rpartition("/")[2]) for p in refusal.value.problems]
    assert found == [("too_many_digits", "a.csv, row 2"), ("too_large", "b.csv, row 2")]
    left = []
    targets = pa.table({"id": ["x", "y"], "target": column([0, 1])})
    scores = score(folder, targets, metrics="corr", invalid="leave_out", problems=left)
    assert dict(zip(scores["model"].to_pylist(), scores["corr"].to_pylist(), strict=True))["c"] < 0
    assert {problem.code for problem in left} >= {"too_many_digits", "too_large"}


def test_a_file_whose_keys_are_lists_is_left_out_by_name(tmp_path):
    folder = tmp_path / "round"
    folder.mkdir()
    lists = pa.array([[1], [2]])
    write_table(pa.table({"id": lists, "prediction": [1.0, 2.0]}), folder / "a.parquet")
    write_table(pa.table({"era": lists, "id": ["x", "y"], "prediction": [1.0, 2.0]}), folder / "b.parquet")
    with pytest.raises(InputError) as refusal:
        read_predictions(folder)
    assert {problem.code for problem in refusal.value.problems} == {"missing_columns", "bad_key_type"}
