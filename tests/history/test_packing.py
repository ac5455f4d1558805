"""Whatever layout and format the tables have: a packed history has the scores of `crowdalpha.score`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from worlds import World, long, shuffled, world

import crowdalpha
from crowdalpha.execution.local import Serial
from crowdalpha.history import Rule, backfill
from crowdalpha.history.packing import pack
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tables.files import write_table

RULE = Rule(("corr", "mmc2", "fnc", "mcwnm"), bags=4, seed="seed")


@pytest.fixture(scope="module")
def tables() -> World:
    return world(3, n_eras=5, n_ids=12, n_models=5)


def written(folder: Path, kind: str, **tables: pa.Table) -> dict[str, Path]:
    for name, table in tables.items():
        write_table(table, folder / f"{name}.{kind}")
    return {name: folder / f"{name}.{kind}" for name in tables}


def stakes_of(w: World) -> pa.Table:
    return pa.table({"model": list(w.stakes), "stake": list(w.stakes.values())})


def scores(folder: Path, rule: Rule = RULE) -> pa.Table:
    return backfill(Serial(), folder, rule).table()


def expected(w: World, predictions: pa.Table, rule: Rule = RULE, **more: object) -> pa.Table:
    how = {"metrics": rule.metrics, "bags": rule.bags, "seed": rule.seed, "features": w.features}
    table = crowdalpha.score(predictions, w.targets, **({"stakes": w.stakes} | how | more))
    return table.filter(table["corr"].is_valid())


@pytest.mark.parametrize("kind", ["parquet", "feather", "csv"])
@pytest.mark.parametrize("layout", [lambda table: table, long])
def test_a_packed_history_has_the_scores_of_its_tables(tables: World, tmp_path: Path, kind: str, layout) -> None:
    files = written(
        tmp_path, kind, predictions=shuffled(layout(tables.predictions)), targets=tables.targets,
        stakes=stakes_of(tables), features=tables.features,
    )  # fmt: skip
    seen: list[tuple[int, int]] = []
    pack(tmp_path / "history", **files, progress=lambda *told: seen.append(told))
    assert seen == [(k, 5) for k in range(1, 6)]
    assert scores(tmp_path / "history").equals(expected(tables, tables.predictions))


def test_a_folder_of_submissions_of_one_era_is_packed(tables: World, tmp_path: Path) -> None:
    first = pl.from_arrow(tables.predictions).filter(pl.col("era") == 1).drop("era")
    (tmp_path / "crowd").mkdir()
    for model in tables.models:
        first.select("id", prediction=model).write_csv(tmp_path / "crowd" / f"{model}.csv")
    targets = pl.from_arrow(tables.targets).filter(pl.col("era") == 1).drop("era").to_arrow()
    files = written(tmp_path, "csv", targets=targets)
    pack(tmp_path / "history", tmp_path / "crowd", files["targets"])
    rule = Rule(bags=4)
    assert scores(tmp_path / "history", rule).equals(
        crowdalpha.score(first.to_arrow(), targets, metrics=rule.metrics, bags=4)
    )


@pytest.mark.parametrize("era", [pa.int32(), pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_stakes_by_era_and_names_of_eras_of_any_type(tables: World, tmp_path: Path, era: pa.DataType) -> None:
    eras = pa.array([1, 1, 3, 3, 7])
    rows = {"era": eras, "model": [tables.models[j] for j in (0, 1, 1, 2, 0)], "stake": [3, 4, 5, 6, 7]}
    place = tables.predictions.column_names.index("era")
    plain = tables.predictions["era"].cast(pa.string()) if pa.types.is_dictionary(era) else tables.predictions["era"]
    predictions = tables.predictions.set_column(place, "era", plain.cast(era))
    files = written(tmp_path, "parquet", predictions=predictions, targets=tables.targets, stakes=pa.table(rows))
    pack(tmp_path / "history", **files)
    rule = Rule(("corr",))
    found = scores(tmp_path / "history", rule)
    assert found.equals(expected(tables, predictions, rule, stakes=pa.table(rows)))


def test_an_era_packed_again_as_it_was_keeps_its_scores(tables: World, tmp_path: Path) -> None:
    files = written(tmp_path, "parquet", predictions=tables.predictions, targets=tables.targets)
    pack(tmp_path / "history", **files)
    rule = Rule(("corr",))
    assert len(backfill(Serial(), tmp_path / "history", rule).computed) == 5
    files |= written(tmp_path, "parquet", targets=with_era_turned(tables.targets, 4))
    pack(tmp_path / "history", **files)
    assert backfill(Serial(), tmp_path / "history", rule).computed == (4,)


def with_era_turned(targets: pa.Table, era: int) -> pa.Table:
    frame = pl.from_arrow(targets)
    turned = pl.when(pl.col("era") == era).then(1 - pl.col("target")).otherwise(pl.col("target"))
    return frame.with_columns(target=turned).to_arrow()


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_all_problems_of_all_eras_are_refused_together_or_left_out(tables: World, tmp_path: Path, kind: str) -> None:
    spoiled = pl.from_arrow(long(tables.predictions)).with_row_index("row")
    spoiled = spoiled.filter(~pl.col("row").is_in([0, 40])).drop("row").to_arrow()
    files = written(tmp_path, kind, predictions=spoiled, targets=tables.targets)
    with pytest.raises(InputError) as refused:
        pack(tmp_path / "refused", **files)
    assert {problem.code for problem in refused.value.problems} == {"missing_ids"}
    assert len(refused.value.problems) == 2
    problems: list[Problem] = []
    packed = pack(tmp_path / "history", **files, invalid="leave_out", problems=problems)
    assert {str(each) for each in problems} == {str(each) for each in refused.value.problems}
    assert sum(era.n_models for era in packed) == 5 * 5 - 1 - 2


def test_stakes_of_a_model_that_never_predicts_are_refused(tables: World, tmp_path: Path) -> None:
    stakes = pa.table({"model": ["nobody", tables.models[0]], "stake": [1, 2]})
    for kind in ("parquet", "csv"):
        files = written(tmp_path, kind, predictions=long(tables.predictions), targets=tables.targets, stakes=stakes)
        with pytest.raises(InputError) as refused:
            pack(tmp_path / "history", **files)
        assert [problem.code for problem in refused.value.problems] == ["unknown_model"]
