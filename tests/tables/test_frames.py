"""Tables in, a table out: the same bits whatever the library, layout or order; and every refusal by its code."""

import subprocess
import sys
from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import (
    LIBRARIES,
    bits,
    changed,
    column,
    long,
    shuffled,
    with_types,
    without_model,
    world,
)

import crowdalpha
from crowdalpha import scoring
from crowdalpha.scoring.problems import InputError
from crowdalpha.tables.alignment import seed_of_era
from crowdalpha.tables.frames import eras, id_table, score

METRICS = ("corr", "mmc2", "fnc")
worlds = st.builds(world, st.integers(0, 9999), st.integers(1, 4), st.integers(4, 12), st.integers(1, 5), st.booleans())


def scores_of(w, predictions=None, **more):
    given = {"stakes": w.stakes, "features": w.features, "metrics": METRICS, "bags": 3} | more
    return score(w.predictions if predictions is None else predictions, w.targets, **given)


def codes(*args, **kwargs):
    """The codes of everything that `score` refuses, in order."""
    with pytest.raises(InputError) as refusal:
        score(*args, **kwargs)
    return [problem.code for problem in refusal.value.problems]


def problem(*args, **kwargs):
    """The only problem that `score` finds."""
    with pytest.raises(InputError) as refusal:
        score(*args, **kwargs)
    (only,) = refusal.value.problems
    return only


def one_era(**models):
    """A table of four ids in no era."""
    return pa.table({"id": ["a", "b", "c", "d"], **{name: column(values) for name, values in models.items()}})


TARGETS = one_era(target=[0, 0.25, 0.75, 1])
CROWD = one_era(first=[1, 2, 4, 3], second=[2, 1, 3, 4])


# --- the same bits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_gives_the_same_bits(library):
    w, convert = world(7), LIBRARIES[library]
    found = score(
        convert(w.predictions),
        convert(w.targets),
        w.stakes,
        features=convert(w.features),
        metrics=METRICS,
        bags=3,
    )
    assert bits(found) == bits(scores_of(w))


@settings(max_examples=15)
@given(worlds, st.sampled_from(list(LIBRARIES)), st.integers(0, 99))
def test_library_layout_and_order_change_no_bit(w, library, seed):
    convert, expected = LIBRARIES[library], bits(scores_of(w))
    assert bits(scores_of(w, convert(shuffled(w.predictions, seed)))) == expected
    assert bits(scores_of(w, convert(shuffled(long(w.predictions), seed)))) == expected


@settings(max_examples=10)
@given(worlds, st.integers(0, 99))
def test_the_order_of_targets_and_features_changes_no_bit(w, seed):
    shuffled_targets, features = shuffled(w.targets, seed), shuffled(w.features, seed + 1)
    found = score(w.predictions, shuffled_targets, w.stakes, features=features, metrics=METRICS, bags=3)
    assert bits(found) == bits(scores_of(w))


def test_tables_of_different_libraries_mix():
    w = world(3)
    found = scores_of(w, pl.from_arrow(w.predictions), features=w.features.to_pandas())
    assert bits(found) == bits(scores_of(w))
    assert isinstance(found, pl.DataFrame)


@pytest.mark.parametrize(
    ("convert", "kind"),
    [(lambda t: t.to_pandas(), pd.DataFrame), (pl.from_arrow, pl.DataFrame), (lambda t: t, pa.Table)],
)
def test_the_result_is_a_table_of_the_callers_library(convert, kind):
    w = world(1)
    found = scores_of(w, convert(w.predictions))
    assert isinstance(found, kind)
    assert list(found.schema.names if kind is pa.Table else found.columns) == ["era", "model", *METRICS]


def test_rows_are_sorted_by_era_and_then_by_the_bytes_of_the_model():
    w = world(5, n_eras=12, n_models=5)
    found = scores_of(w, metrics="corr").to_pydict()
    expected = [(e, m) for e in range(1, 13) for m in sorted(w.models, key=str.encode)]
    assert list(zip(found["era"], found["model"], strict=True)) == expected


def test_a_score_is_what_the_array_functions_say():
    w = world(11, absent=False)
    found = pl.from_arrow(scores_of(w)).filter(pl.col("era") == 2)
    models = sorted(w.models, key=str.encode)
    rows = pl.from_arrow(w.predictions).filter(pl.col("era") == 2).to_pandas()
    order = rows["id"].map(str.encode).argsort()
    values = rows.iloc[order][models].to_numpy()
    target = pl.from_arrow(w.targets).filter(pl.col("era") == 2)["target"].to_numpy()[order]
    stakes = [w.stakes.get(model, 0) for model in models]
    drawn = scoring.draw_bags(stakes, n_bags=3, seed=seed_of_era(0, 2))
    assert np.array_equal(found["corr"], scoring.corr(values, target))
    assert np.array_equal(found["mmc2"], scoring.mmc2(values, stakes, target, bags=drawn))


def test_no_bags_pool_every_staker_once():
    w = world(2)
    assert bits(scores_of(w, bags=0)) == bits(scores_of(w, bags=None))
    assert bits(scores_of(w, bags=0)) != bits(scores_of(w, bags=3))


def test_an_era_alone_gets_the_scores_it_has_among_others():
    w = world(4)
    alone = w.predictions.filter(pa.compute.equal(w.predictions["era"], 3))
    assert bits(scores_of(w, alone)) == [row for row in bits(scores_of(w)) if row["era"] == 3]


def test_eras_draw_different_bags_and_another_seed_draws_others():
    w = world(4, n_eras=2, n_models=5, absent=False)
    first, second = eras(w.predictions, w.targets, w.stakes)
    (other, _) = eras(w.predictions, w.targets, w.stakes, seed=1)
    assert not np.array_equal(first.bags, second.bags)
    assert not np.array_equal(first.bags, other.bags)


def test_eras_may_be_text_or_numbers_and_match_as_text():
    w = world(6)
    as_text = with_types(w.predictions, era=pa.string())
    found = scores_of(w, as_text)
    assert bits(found) == [row | {"era": str(row["era"])} for row in bits(scores_of(w))]


def test_whole_float_eras_are_whole_numbers():
    w = world(6)
    assert bits(scores_of(w, with_types(w.predictions, era=pa.float64()))) == bits(scores_of(w))


def test_dates_are_eras_and_midnights_are_dates():
    days, moments = [date(2024, 1, 5)] * 4, [datetime(2024, 1, 5)] * 4
    found = score(
        pl.DataFrame(CROWD.append_column("era", [days])).to_arrow(),
        TARGETS.to_pandas().assign(era=moments),
        metrics="corr",
    )
    assert found["era"].to_pylist() == ["2024-01-05"] * 2


def test_tables_without_eras_are_one_era():
    assert score(CROWD, TARGETS, metrics="corr")["era"].to_pylist() == [1, 1]


def test_whole_number_ids_are_their_decimals():
    numbered = CROWD.set_column(0, "id", pa.array([4, 3, 2, 10]))
    texts = TARGETS.set_column(0, "id", pa.array(["4", "3", "2", "10"]))
    assert eras(numbered, texts).eras[0].ids == ("10", "2", "3", "4")


def test_keys_can_have_other_names():
    w = world(6)
    names = {"era": "week", "id": "stock"}
    renamed = [t.rename_columns({**names}) for t in (w.predictions, w.targets)]
    found = score(*renamed, w.stakes, era="week", id="stock", bags=3)
    assert [row | {"era": row.pop("week")} for row in bits(found)] == bits(scores_of(w, metrics=("corr", "mmc2")))


def test_pandas_columns_named_by_numbers_are_models():
    frame = CROWD.to_pandas().rename(columns={"first": 1, "second": 2})
    assert score(frame, TARGETS, metrics="corr")["model"].tolist() == ["1", "2"]


def test_a_target_column_is_preferred_to_its_neighbours():
    more = TARGETS.append_column("other", column([1, 0, 0, 1]))
    assert bits(score(CROWD, more)) == bits(score(CROWD, TARGETS))


def test_a_long_table_may_have_other_columns():
    w = world(2)
    rows = long(w.predictions)
    noted = rows.append_column("note", pa.array(["x"] * rows.num_rows))
    assert bits(scores_of(w, noted)) == bits(scores_of(w, rows))


def test_references_may_hold_more_ids_and_eras_than_asked_for():
    w = world(2, n_eras=4)
    third = w.targets.filter(pa.compute.equal(w.targets["era"], 3)).slice(1)
    predictions = w.predictions.filter(pa.compute.equal(w.predictions["era"], 3)).slice(1)
    found = score(predictions, third, features=w.features, metrics="fnc")
    assert found.num_rows == len(w.models)


@pytest.mark.parametrize("name", scoring.METRICS)
def test_every_metric_can_be_asked_for(name):
    w = world(8, n_ids=12)
    one = w.features.select(["era", "id", "f0"])
    tables = {
        "features": w.features,
        "metamodel": one,
        "benchmarks": w.features.select(["era", "id", "f1"]),
        "neutralizers": w.features,
        "sample_weights": with_types(one, f0=pa.float64()),
    }
    found = score(w.predictions, w.targets, w.stakes, metrics=name, bags=2, **tables)
    assert found[name].null_count == 1


# --- absence and stakes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["arrow", "pandas", "polars", "polars, NaN", "pandas, nullable"])
@pytest.mark.parametrize("layout", [lambda t: t, long])
def test_an_absent_model_has_null_scores_and_is_not_pooled(library, layout):
    w = world(9)
    absent = w.models[0]
    found = bits(scores_of(w, LIBRARIES[library](layout(w.predictions)), bags=0))
    in_two = [row for row in found if row["era"] == 2]
    assert [row["model"] for row in in_two if row["mmc2"] is None] == [absent]
    rest = without_model(w, absent)
    assert [row for row in in_two if row["model"] != absent] == [
        row for row in bits(scores_of(rest, bags=0)) if row["era"] == 2
    ]


def test_long_rows_that_are_all_null_are_an_absence():
    w = world(9)
    frame = pl.from_arrow(w.predictions).unpivot(index=["era", "id"], variable_name="model", value_name="prediction")
    assert frame["prediction"].null_count() > 0
    assert bits(scores_of(w, frame)) == bits(scores_of(w))


def test_an_era_in_which_nobody_predicts_has_null_scores():
    nobody = one_era(first=[np.nan] * 4, second=[np.nan] * 4)
    assert score(nobody, TARGETS)["mmc2"].to_pylist() == [None, None]


def test_eras_that_nobody_predicts_are_not_scored_and_may_lack_a_target():
    w = world(3, n_eras=3)
    first = w.predictions.filter(pa.compute.equal(w.predictions["era"], 1))
    unresolved = changed(w.targets, "target", w.targets.num_rows - 1, None)
    assert set(score(first, unresolved)["era"].to_pylist()) == {1}


def test_no_stakes_are_stakes_of_one():
    w = world(5)
    ones = dict.fromkeys(w.models, 1)
    assert bits(score(w.predictions, w.targets)) == bits(score(w.predictions, w.targets, ones))


@pytest.mark.parametrize(
    "form",
    [
        lambda s: pa.table({"model": list(s), "stake": list(s.values())}),
        lambda s: pd.DataFrame({"model": list(s), "stake": [float(v) for v in s.values()]}),
        lambda s: pl.DataFrame(
            {"era": [e for e in (1, 2, 3) for _ in s], "model": list(s) * 3, "stake": list(s.values()) * 3}
        ),
        lambda s: {name: np.float64(stake) / 8 for name, stake in s.items()},
    ],
)
def test_stakes_come_as_a_mapping_or_a_table(form):
    w = world(5)
    assert bits(scores_of(w, stakes=form(w.stakes))) == bits(scores_of(w))


def test_stakes_of_an_era_count_in_that_era():
    w = world(5, absent=False)
    model = next(iter(w.stakes))
    table = pa.table(
        {"era": ["1", "2", "3", "99"], "model": [model, w.models[-1], model, model], "stake": [1, 2, 3, 4]}
    )
    crowd = eras(w.predictions, w.targets, table)
    assert [dict(zip(e.models, e.stakes.tolist(), strict=True))[model] for e in crowd] == [1, 0, 3]


def test_a_model_without_stake_changes_nobody_elses_score():
    w = world(5, n_models=5)
    unstaked = next(model for model in w.models if model not in w.stakes)
    without = bits(scores_of(without_model(w, unstaked)))
    assert [row for row in bits(scores_of(w)) if row["model"] != unstaked] == without


def test_a_crowd_can_be_walked_era_by_era():
    w = world(5)
    crowd = eras(w.predictions, w.targets, w.stakes, features=w.features)
    assert len(crowd) == 3
    assert [era.label for era in crowd] == [1, 2, 3]
    assert crowd.models == tuple(sorted(w.models, key=str.encode))
    assert crowd.names == {"features": ("f0", "f1", "f2")}
    assert all(era.predictions.shape == (9, len(era.models)) for era in crowd)


@pytest.mark.parametrize("library", LIBRARIES)
def test_without_targets_the_universe_is_what_is_predicted(library):
    w = world(5)
    crowd = eras(LIBRARIES[library](w.predictions), features=w.features)
    known = eras(w.predictions, w.targets, features=w.features)
    assert [era.target for era in crowd] == [None] * 3
    assert [era.ids for era in crowd] == [era.ids for era in known]
    assert all(np.array_equal(a.predictions, b.predictions) for a, b in zip(crowd, known, strict=True))


def test_without_targets_a_blank_id_is_still_refused():
    with pytest.raises(InputError) as refusal:
        eras(changed(CROWD, "id", 0, None))
    assert refusal.value.code == "extra_ids"


def test_one_model_of_a_crowd_can_be_looked_at_alone():
    w = world(5)
    crowd = eras(w.predictions, w.targets, w.stakes)
    model = crowd.eras[1].models[1]
    alone = crowd.only(model)
    assert alone.models == (model,)
    assert [era.models for era in alone] == [(model,)] * 3
    assert np.array_equal(alone.eras[1].predictions[:, 0], crowd.eras[1].predictions[:, 1])
    assert alone.only().models == (model,)
    assert len(crowd.only(w.models[0])) == 2
    for unknown in (None, "stranger"):
        with pytest.raises(InputError) as refusal:
            crowd.only(unknown)
        assert refusal.value.code == "which_model"


def test_numbers_of_ids_become_a_table_by_era_and_id():
    w = world(5, absent=False)
    crowd = eras(w.predictions, w.targets)
    table = id_table(crowd, {"target": [era.target for era in crowd]}, era="week", id="stock")
    order = pl.from_arrow(w.targets).with_columns(pl.col("id").cast(pl.Binary)).sort("era", "id")
    assert table["week"].to_pylist() == order["era"].to_list()
    assert table["stock"].to_pylist() == [each.decode() for each in order["id"]]
    assert table["target"].to_pylist() == order["target"].to_list()


def test_progress_is_told_after_every_era():
    told = []
    w = world(5)
    scores_of(w, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


# --- refusals --------------------------------------------------------------------------------------------------


def test_a_hole_in_a_model_is_refused_with_model_era_and_ids():
    w = world(5, absent=False)
    model = w.models[1]
    holes = changed(changed(w.predictions, model, 0, None), model, 4, None)
    found = problem(holes, w.targets)
    assert found.code == "nan_in_predictions"
    assert found.where == f"predictions, era 1, model {model}"
    assert found.found.startswith("2 missing")


@pytest.mark.parametrize("layout", [lambda t: t, long])
@pytest.mark.parametrize(
    ("value", "code"), [(np.inf, "inf_in_predictions"), (-np.inf, "inf_in_predictions"), (np.nan, "nan_in_predictions")]
)
def test_what_is_not_finite_is_refused(layout, value, code):
    w = world(5, absent=False)
    predictions = layout(w.predictions)
    name = "prediction" if "prediction" in predictions.column_names else w.models[0]
    assert codes(changed(predictions, name, 3, value), w.targets) == [code]


@pytest.mark.parametrize("layout", [lambda t: t, long])
def test_ids_that_are_missing_extra_or_twice_are_refused(layout):
    w = world(5, n_models=1, absent=False)
    predictions = layout(w.predictions)
    assert problem(predictions.slice(1), w.targets).code == "missing_ids"
    twice = pa.concat_tables([predictions, predictions.slice(0, 1)])
    assert problem(twice, w.targets).code == "duplicate_ids"
    assert codes(changed(predictions, "id", 0, "stranger"), w.targets) == ["missing_ids", "extra_ids"]
    blank = problem(pa.concat_tables([predictions, changed(predictions.slice(0, 1), "id", 0, None)]), w.targets)
    assert (blank.code, "(blank)" in blank.found) == ("extra_ids", True)


def test_a_long_model_may_have_several_problems_at_once():
    rows = pa.table({"id": ["a", "a", "b", "x"], "model": ["m"] * 4, "prediction": column([1, 2, np.nan, np.inf])})
    expected = ["missing_ids", "extra_ids", "duplicate_ids", "nan_in_predictions", "inf_in_predictions"]
    assert codes(rows, TARGETS) == expected


def test_wide_rows_off_the_universe_and_holes_are_told_together():
    holes = changed(CROWD, "first", 2, None).slice(1)
    assert codes(holes, TARGETS) == ["missing_ids", "nan_in_predictions"]


def test_an_era_without_targets_is_refused_by_name():
    w = world(5)
    known = w.targets.filter(pa.compute.not_equal(w.targets["era"], 2))
    found = problem(w.predictions, known)
    assert (found.code, found.found) == ("unknown_era", "2")
    blank = changed(w.predictions, "era", 0, None)
    assert codes(blank, w.targets) == ["unknown_era", "missing_ids"]


def test_faults_of_the_targets_are_refused():
    w = world(5)
    assert codes(w.predictions, changed(w.targets, "target", 0, None)) == ["nan_in_targets"]
    twice = pa.concat_tables([w.targets, w.targets.slice(0, 1)])
    assert codes(w.predictions, twice) == ["duplicate_ids"]
    assert "blank_era" in codes(w.predictions, changed(w.targets, "era", 0, None))
    assert "blank_id" in codes(w.predictions, changed(w.targets, "id", 0, None))


def test_targets_need_exactly_one_column_of_numbers():
    two = TARGETS.append_column("b", column([1, 2, 3, 4])).rename_columns(["id", "a", "b"])
    assert codes(CROWD, two) == ["ambiguous_columns"]
    assert codes(CROWD, TARGETS.select(["id"])) == ["missing_columns"]
    assert codes(CROWD, with_types(TARGETS, target=pa.string())) == ["not_numeric"]


def test_columns_must_be_there_once():
    w = world(5)
    assert codes(CROWD.drop_columns(["id"]), TARGETS) == ["missing_columns"]
    assert codes(w.predictions.drop_columns(["era"]), w.targets) == ["missing_columns"]
    assert codes(CROWD.select(["id"]), TARGETS) == ["missing_columns"]
    twice = pa.Table.from_arrays([CROWD["id"], CROWD["first"], CROWD["first"]], ["id", "m", "m"])
    assert codes(twice, TARGETS) == ["duplicate_columns"]
    pandas_twice = pd.concat([CROWD.to_pandas(), CROWD.to_pandas()[["first"]]], axis=1)
    assert codes(pandas_twice, TARGETS) == ["duplicate_columns"]


def test_an_empty_table_is_refused():
    assert codes(CROWD.slice(0, 0), TARGETS) == ["empty"]


def test_columns_that_are_no_numbers_are_refused_by_name():
    text = CROWD.append_column("sector", pa.array(["x"] * 4))
    assert "sector of type string" in problem(text, TARGETS).found
    rows = pa.table({"id": ["a"], "model": ["m"], "prediction": ["0.5"]})
    assert codes(rows, TARGETS) == ["not_numeric"]


def test_keys_that_are_neither_text_nor_whole_are_refused():
    floats = CROWD.set_column(0, "id", column([1, 2, 3, 4]))
    assert codes(floats, TARGETS) == ["bad_key_type"]
    w = world(5)
    halves = w.predictions.set_column(0, "era", column(np.full(w.predictions.num_rows, 0.5)))
    assert codes(halves, w.targets) == ["bad_key_type"]
    rows = pa.table({"id": ["a"], "model": [0.5], "prediction": [1.0]})
    assert codes(rows, TARGETS) == ["bad_key_type"]


def test_a_row_without_a_model_is_refused():
    rows = pa.table({"id": list("abcd") * 2, "model": ["m"] * 7 + [None], "prediction": column(range(8))})
    assert "blank_model" in codes(rows, TARGETS)


def test_what_is_no_table_is_refused_with_advice():
    assert problem(pl.LazyFrame({"id": ["a"]}), TARGETS).fix == "collect a lazy frame first"
    assert codes(np.zeros((3, 2)), {"id": [1]}) == ["not_a_table", "not_a_table"]


def test_mixed_python_objects_in_a_column_are_refused():
    frame = pd.DataFrame({"id": ["a", 2.5, "c", "d"], "m": [1.0, 2, 3, 4]}, dtype=object)
    assert codes(frame, TARGETS) == ["mixed_types"]


@pytest.mark.parametrize("stake", [-1, float("nan"), float("inf"), None, "10", True])
def test_a_stake_is_a_finite_number_that_is_not_negative(stake):
    found = problem(CROWD, TARGETS, {"first": stake})
    assert (found.code, found.where) == ("bad_stake", "stakes, model first")


def test_stakes_of_strangers_and_stakes_given_twice_are_refused():
    assert codes(CROWD, TARGETS, {"first": 1, "stranger": 2}) == ["unknown_model"]
    twice = pa.table({"model": ["first", "first"], "stake": [1, 2]})
    assert codes(CROWD, TARGETS, twice) == ["duplicate_stake"]
    assert codes(CROWD, TARGETS, twice.select(["stake"])) == ["missing_columns"]


def test_stakes_of_eras_that_nobody_predicts_alone_are_refused():
    table = pa.table({"era": ["2024-01-05"], "model": ["first"], "stake": [1]})
    assert codes(CROWD, TARGETS, table) == ["unknown_era"]
    assert codes(CROWD, TARGETS, table.set_column(0, "era", column([0.5]))) == ["unknown_era"]
    assert codes(CROWD, TARGETS, table.set_column(0, "era", pa.array([None], pa.string()))) == ["unknown_era"]


def test_a_crowd_without_any_stake_has_no_metamodel():
    (code,) = codes(CROWD, TARGETS, {"first": 0})
    assert "stake" in code


def test_what_a_metric_refuses_is_told_era_by_era():
    w = world(5, n_eras=2)
    flat = w.targets.set_column(2, "target", column(np.zeros(w.targets.num_rows)))
    with pytest.raises(InputError) as refusal:
        score(w.predictions, flat, metrics="corr")
    assert [p.where[:5] for p in refusal.value.problems] == ["era 1", "era 2"]


def test_metrics_say_what_they_lack():
    assert codes(CROWD, TARGETS, metrics=("fnc", "bmc")) == ["no_features", "no_benchmarks"]
    assert codes(CROWD, TARGETS, metrics="sharpe") == ["unknown_metric"]
    assert codes(CROWD, TARGETS, metrics=()) == ["no_metrics"]


def test_choices_out_of_range_are_refused():
    assert codes(CROWD, TARGETS, bags=-1) == ["bad_bags"]
    assert codes(CROWD, TARGETS, ties="max") == ["bad_ties"]
    assert codes(CROWD, TARGETS, invalid="ignore") == ["bad_invalid"]


def test_metrics_of_a_target_need_one():
    assert codes(CROWD, None) == ["no_target", "no_target"]
    with pytest.raises(InputError) as refusal:
        eras(CROWD, metrics=("mmc2", "nothing"))
    assert [p.code for p in refusal.value.problems] == ["unknown_metric", "no_target"]


def test_eras_take_no_other_tables():
    with pytest.raises(TypeError, match="benchmark"):
        eras(CROWD, TARGETS, benchmark=CROWD)


def test_references_must_cover_the_universe_with_finite_numbers():
    w = world(5)
    assert codes(w.predictions, w.targets, features=w.features.slice(1), metrics="fnc") == ["missing_ids"]
    assert codes(w.predictions, w.targets, features=changed(w.features, "f1", 0, None)) == ["nan_in_features"]
    two = w.features.select(["era", "id", "f0", "f1"])
    assert codes(w.predictions, w.targets, metamodel=two) == ["ambiguous_columns"]
    assert codes(w.predictions, w.targets, features=w.features.select(["era", "id"])) == ["missing_columns"]


def test_all_problems_of_all_tables_come_at_once():
    w = world(5, absent=False)
    found = codes(
        changed(w.predictions, w.models[0], 0, None),
        changed(w.targets, "target", 10, None),
        {"stranger": 1, w.models[0]: -1},
        features=w.features.drop_columns(["id"]),
        metrics=("fnc", "mode"),
    )
    assert sorted(found) == sorted(
        [
            "nan_in_predictions",
            "nan_in_targets",
            "unknown_model",
            "bad_stake",
            "missing_columns",
            "unknown_metric",
        ]
    )


# --- leaving out -----------------------------------------------------------------------------------------------

FAULTS = {
    "a hole": lambda rows: changed(rows, "prediction", 0, None),
    "an infinity": lambda rows: changed(rows, "prediction", 0, np.inf),
    "a missing id": lambda rows: rows.slice(1),
    "an extra id": lambda rows: pa.concat_tables([rows, changed(rows.slice(0, 1), "id", 0, "stranger")]),
    "an id twice": lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_model_is_absent_from_its_era_and_nobody_elses_score_changes(fault):
    w = world(12, absent=False)
    rows = long(w.predictions).sort_by([("model", "ascending"), ("era", "ascending")])
    model, era = rows["model"][0].as_py(), rows["era"][0].as_py()
    absent = rows.filter(
        pa.compute.or_(pa.compute.not_equal(rows["model"], model), pa.compute.not_equal(rows["era"], era))
    )
    told = []
    found = scores_of(w, FAULTS[fault](rows), invalid="leave_out", problems=told)
    assert bits(found) == bits(scores_of(w, absent))
    assert {p.where for p in told} == {f"predictions, era {era}, model {model}"}


def test_a_hole_in_a_wide_column_leaves_out_that_model_only():
    w = world(12, absent=False)
    model = w.models[0]
    told = []
    found = scores_of(w, changed(w.predictions, model, 0, None), invalid="leave_out", problems=told.append)
    in_one = np.array(w.predictions["era"]) == 1
    absent = w.predictions.set_column(
        w.predictions.column_names.index(model), model, column(np.where(in_one, np.nan, w.predictions[model]))
    )
    assert bits(found) == bits(scores_of(w, absent))
    assert [p.code for p in told] == ["nan_in_predictions"]


def test_wide_rows_off_the_universe_leave_out_the_whole_era():
    w = world(12, absent=False)
    told = []
    found = bits(scores_of(w, w.predictions.slice(1), invalid="leave_out", problems=told))
    assert {row["era"] for row in found if row["corr"] is None} == {1}
    assert [p.code for p in told] == ["missing_ids"]


def test_an_era_without_targets_is_left_out():
    w = world(12)
    later = w.targets.filter(pa.compute.not_equal(w.targets["era"], 1))
    found = scores_of(w, None, invalid="leave_out")
    without = score(w.predictions, later, w.stakes, metrics=METRICS, features=w.features, bags=3, invalid="leave_out")
    assert bits(without) == [row for row in bits(found) if row["era"] != 1]


def test_faults_that_all_models_share_are_refused_even_when_leaving_out():
    w = world(12)
    broken = changed(w.targets, "target", 0, None)
    assert codes(w.predictions, broken, invalid="leave_out") == ["nan_in_targets"]


def test_nothing_left_gives_an_empty_table():
    w = world(12, n_eras=1)
    others = w.targets.set_column(0, "era", pa.array([9] * w.targets.num_rows))
    found = scores_of(w, None, invalid="leave_out")
    assert found.num_rows == len(w.models)
    empty = score(w.predictions, others, invalid="leave_out")
    assert (empty.num_rows, empty.column_names) == (0, ["era", "model", "corr", "mmc2"])


# --- the package -----------------------------------------------------------------------------------------------


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, crowdalpha; assert 'score' in dir(crowdalpha);"
        "print([m for m in ('numpy', 'pyarrow', 'narwhals', 'numba', 'pandas', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_names_score_and_nothing_it_does_not_have():
    assert crowdalpha.score is score
    with pytest.raises(AttributeError, match="scores"):
        _ = crowdalpha.scores
