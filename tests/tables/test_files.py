"""Files of every kind are read alike, and everything that is wrong with one is told at once, row by row."""

import json
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import bits, column, long, world

from crowdalpha.scoring.problems import InputError
from crowdalpha.tables.cells import LISTED
from crowdalpha.tables.files import read_predictions, read_table, write_table
from crowdalpha.tables.frames import score

ENDINGS = [".csv", ".parquet", ".feather"]


@pytest.fixture
def write(tmp_path):
    """Write a text file, as bytes or in UTF-8, and give its path."""

    def to(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to


def problems(read, *args, **kwargs):
    """Everything that a reader refuses."""
    with pytest.raises(InputError) as refusal:
        read(*args, **kwargs)
    return refusal.value.problems


def places(read, *args, **kwargs):
    """The code of each problem and the file's name and row."""
    return [(p.code, p.where.rpartition("/")[2]) for p in problems(read, *args, **kwargs)]


def submissions(folder, wide, ending=".csv"):
    """A folder with a file a model."""
    folder.mkdir()
    rows = long(wide)
    for model in set(rows["model"].to_pylist()):
        own = rows.filter(pa.compute.equal(rows["model"], model)).drop_columns(["model"])
        write_table(own, folder / f"{model}{ending}")
    return folder


# --- reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read(tmp_path, ending):
    w = world(3)
    write_table(w.predictions, tmp_path / f"table{ending}")
    found = read_table(tmp_path / f"table{ending}")
    assert found.to_pydict() == w.predictions.to_pydict()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_csv_keeps_every_bit_of_a_number(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("bits") / "table.csv"
    write_table(pa.table({"id": ["a"] * len(values), "x": column(values)}), path)
    assert np.array_equal(read_table(path)["x"].to_numpy().astype(float), values)


def test_ids_and_models_stay_text_and_eras_become_whole_numbers(write):
    path = write("t.csv", "era,id,model,x\n3,0012,7,1\n4,12,8,2\n")
    table = read_table(path).to_pydict()
    assert table == {"era": [3, 4], "id": ["0012", "12"], "model": ["7", "8"], "x": [1, 2]}


@pytest.mark.parametrize("eras", [["01", "02"], ["1", "x"], ["2024-01-05", "2024-01-12"]])
def test_eras_that_are_not_all_whole_numbers_stay_text(write, eras):
    path = write("t.csv", f"era,id,x\n{eras[0]},a,1\n{eras[1]},a,2\n")
    assert read_table(path)["era"].to_pylist() == eras


def test_keys_of_other_names_are_read_like_keys(write):
    path = write("t.csv", "week,stock,x\n3,0012,1\n")
    assert read_table(path, era="week", id="stock").to_pydict() == {"week": [3], "stock": ["0012"], "x": [1]}


def test_an_id_that_looks_like_nothing_is_an_id(write):
    assert read_table(write("t.csv", "id,x\nNA,1\nnan,2\n"))["id"].to_pylist() == ["NA", "nan"]


def test_a_byte_order_mark_spaces_and_empty_lines_do_no_harm(write):
    path = write("t.csv", b"\xef\xbb\xbfid , x\r\na, 0.5\r\n\r\nb, NaN\r\n\r\n")
    assert read_table(path).to_pydict() == {"id": ["a", "b"], "x": [0.5, None]}


def test_quoted_commas_are_part_of_a_cell(write):
    assert read_table(write("t.csv", 'id,x\n"a,b",1\n'))["id"].to_pylist() == ["a,b"]


def test_a_column_in_which_text_prevails_is_text(write):
    path = write("t.csv", "id,sector,x\na,Energy,1\nb,7,2\nc,Banks,3\n")
    assert read_table(path)["sector"].to_pylist() == ["Energy", "7", "Banks"]


def test_content_counts_for_more_than_the_name(tmp_path):
    table = pa.table({"id": ["a"], "x": [1.0]})
    write_table(table, tmp_path / "t.parquet")
    path = (tmp_path / "t.parquet").rename(tmp_path / "t.csv")
    assert read_table(path).to_pydict() == table.to_pydict()


@pytest.mark.parametrize("ending", [".parquet", ".feather"])
def test_the_index_of_a_pandas_file_is_no_column(tmp_path, ending):
    frame = pd.DataFrame({"id": ["a", "b"], "x": [1.0, 2.0]}, index=[5, 6])
    write_table(pa.Table.from_pandas(frame), tmp_path / f"t{ending}")
    assert read_table(tmp_path / f"t{ending}").column_names == ["id", "x"]
    write_table(pa.Table.from_pandas(frame.set_index("id")), tmp_path / f"u{ending}")
    assert set(read_table(tmp_path / f"u{ending}").column_names) == {"id", "x"}


# --- what is wrong with a file ---------------------------------------------------------------------------------


def test_every_bad_cell_is_told_with_its_line(write):
    path = write("t.csv", "era,id,one,two\n1,a,0.5,1\n1,b,high,2\n\n1,c,0.7,#N/A\n1,d,0.1,oops\n1,e,1,1\n1,f,2,2\n")
    found = problems(read_table, path)
    assert [(p.code, p.where.rpartition("/")[2], p.found) for p in found] == [
        ("not_a_number", "t.csv, row 3", "'high'"),
        ("not_a_number", "t.csv, row 5", "'#N/A'"),
        ("not_a_number", "t.csv, row 6", "'oops'"),
    ]


def test_rows_of_another_length_are_told_and_do_not_shift_the_lines_of_others(write):
    path = write("t.csv", "id,x\na,1,2\nb,1\nc,x\nd\ne,5\nf,6\n")
    assert places(read_table, path) == [
        ("wrong_number_of_fields", "t.csv, row 2"),
        ("wrong_number_of_fields", "t.csv, row 5"),
        ("not_a_number", "t.csv, row 4"),
    ]


def test_many_bad_rows_are_listed_to_a_limit_and_then_counted(write):
    rows = [f"i{i},{'x' if i % 2 else i}" for i in range(2 * LISTED + 6)]
    found = problems(read_table, write("t.csv", "id,x\n" + "\n".join(rows)))
    assert len(found) == LISTED + 1
    assert found[-1].found == "the same in 3 more rows"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("t.csv", "", "empty"),
        ("t.csv", "\n", "empty"),
        ("t.csv", "id,x\n", "empty"),
        ("t.csv", "id,x\n\n\n", "empty"),
        ("t.csv", "id,x,x\na,1,2\n", "duplicate_columns"),
        ("t.csv", ",id,x\n0,a,1\n", "unnamed_column"),
        ("t.csv", "id,x\na,1\n".encode("utf-16"), "not_utf8"),
        ("t.csv", b"id,x\n" + b"a,1\n" * 9000 + b"\xff\xfe,1\n", "cannot_parse"),
        ("t.csv", "id," + "x" * 200_000 + "\na,1\n", "cannot_parse"),
        ("t.parquet", "id,x\na,1\n", "cannot_parse"),
        ("t.parquet", b"PAR1 and no more", "cannot_parse"),
        ("t.feather", b"ARROW1 and no more", "cannot_parse"),
        ("t.xlsx", "whatever", "unknown_kind"),
        ("t.json", "[]", "unknown_kind"),
        ("table", "id,x\n", "unknown_kind"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(write, name, content, code):
    (only,) = problems(read_table, write(name, content))
    assert only.code == code
    assert only.where.endswith(name)


def test_a_path_that_leads_to_no_file_says_so(tmp_path):
    assert places(read_table, tmp_path / "nowhere.csv") == [("not_found", "nowhere.csv")]
    assert [p.code for p in problems(read_table, tmp_path)] == ["not_a_file"]
    assert places(read_table, f"{tmp_path}/{'x' * 300}.csv") == [("cannot_read", "x" * 300 + ".csv")]


@pytest.mark.parametrize("ending", [".parquet", ".feather"])
def test_a_binary_file_without_rows_is_empty(tmp_path, ending):
    write_table(pa.table({"id": pa.array([], pa.string())}), tmp_path / f"t{ending}")
    assert places(read_table, tmp_path / f"t{ending}") == [("empty", f"t{ending}")]


# --- folders of submissions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_folder_of_submissions_is_one_long_table(tmp_path, ending):
    w = world(3)
    table = read_predictions(submissions(tmp_path / "round", w.predictions, ending))
    assert table.column_names == ["era", "id", "model", "prediction"]
    order = ["era", "id", "model"]
    assert (
        pl.from_arrow(table).cast({"id": pl.String, "model": pl.String}).sort(order).rows()
        == pl.from_arrow(long(w.predictions)).cast({"id": pl.String}).select(*order, "prediction").sort(order).rows()
    )


def test_a_single_file_is_read_as_it_is(tmp_path):
    w = world(3)
    write_table(w.predictions, tmp_path / "wide.csv")
    assert read_predictions(tmp_path / "wide.csv").column_names == w.predictions.column_names


def test_files_of_different_kinds_and_types_go_together(write):
    folder = write("round/a.csv", "id,prediction,note\n1,5,x\n2,6,y\n").parent
    write_table(pa.table({"prediction": pa.array([0.5, 1], pa.float32()), "id": [1, 2]}), folder / "b.parquet")
    write(f"{folder}/.hidden", "nothing")
    table = read_predictions(folder).to_pydict()
    assert table == {"id": ["1", "2"] * 2, "model": ["a", "a", "b", "b"], "prediction": [5, 6, 0.5, 1]}


def test_eras_of_different_types_become_text(write):
    folder = write("round/a.csv", "era,id,prediction\n1,x,5\n").parent
    write(f"{folder}/b.csv", "era,id,prediction\nlast,x,5\n")
    assert read_predictions(folder)["era"].to_pylist() == ["1", "last"]


def test_eras_without_a_common_form_are_shown_as_text(write):
    folder = write("round/a.csv", "era,id,prediction\n1,x,5\n").parent
    write_table(pa.table({"era": [0.5], "id": ["x"], "prediction": [1.0]}), folder / "b.parquet")
    assert read_predictions(folder)["era"].to_pylist() == ["1", "0.5"]


def test_every_problem_of_every_submission_is_told_at_once(write):
    folder = write("round/a.csv", "era,id,prediction\n1,x,0.1\n1,y,high\n1,x,0.2\n,z,1\n1,,1\n1,z,2\n").parent
    write(f"{folder}/b.csv", "era,id,prediction\n1,x,\n1,y,inf\n1,z,nan\n")
    write(f"{folder}/c.csv", "id,probability\nx,1\n")
    write(f"{folder}/d.txt", "read me")
    write(f"{folder}/e.csv", "era,id,prediction\n1,x,up\n")
    assert places(read_predictions, folder) == [
        ("not_a_number", "a.csv, row 3"),
        ("blank_era", "a.csv, row 5"),
        ("blank_id", "a.csv, row 6"),
        ("duplicate_ids", "a.csv, row 4"),
        ("nan_in_predictions", "b.csv, row 2"),
        ("nan_in_predictions", "b.csv, row 4"),
        ("inf_in_predictions", "b.csv, row 3"),
        ("missing_columns", "c.csv"),
        ("unknown_kind", "d.txt"),
        ("not_numeric", "e.csv"),
    ]


def test_a_row_of_a_binary_file_is_counted_from_one(tmp_path):
    folder = tmp_path / "round"
    folder.mkdir()
    write_table(pa.table({"id": ["x", "y"], "prediction": column([1, np.nan])}), folder / "a.parquet")
    assert places(read_predictions, folder) == [("nan_in_predictions", "a.parquet, row 2")]


def test_ids_of_no_key_type_are_refused_when_scored(tmp_path):
    folder = tmp_path / "round"
    folder.mkdir()
    write_table(pa.table({"id": [0.5, 1], "prediction": [1.0, 2]}), folder / "a.parquet")
    found = problems(score, folder, pa.table({"id": ["x", "y"], "target": [0.0, 1]}))
    assert [(p.code, p.where) for p in found] == [("bad_key_type", str(folder / "a.parquet"))]


def test_two_files_of_one_model_are_refused(write):
    folder = write("round/a.csv", "id,prediction\nx,1\n").parent
    write_table(pa.table({"id": ["x"], "prediction": [1.0]}), folder / "a.parquet")
    (only,) = problems(read_predictions, folder)
    assert (only.code, only.found) == ("duplicate_model", "a.csv, a.parquet")


def test_a_folder_without_files_is_refused(tmp_path):
    assert [p.code for p in problems(read_predictions, tmp_path)] == ["empty"]


# --- scoring from files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_score_like_the_tables_in_them(tmp_path, ending):
    w = world(5)
    stakes = pa.table({"model": list(w.stakes), "stake": list(w.stakes.values())})
    expected = bits(score(w.predictions, w.targets, w.stakes, features=w.features, metrics=("mmc2", "fnc")))
    tables = {"predictions": w.predictions, "targets": w.targets, "stakes": stakes, "features": w.features}
    paths = {name: tmp_path / f"{name}{ending}" for name in tables}
    for name, table in tables.items():
        write_table(table, paths[name])
    found = score(**{k: str(v) for k, v in paths.items()}, metrics=("mmc2", "fnc"))
    assert isinstance(found, pa.Table)
    assert bits(found) == expected
    folder = submissions(tmp_path / "round", w.predictions, ending)
    assert bits(score(folder, w.targets, w.stakes, features=w.features, metrics=("mmc2", "fnc"))) == expected


def test_a_fault_told_by_row_is_not_told_again(tmp_path):
    w = world(5, absent=False)
    folder = submissions(tmp_path / "round", w.predictions)
    path = folder / f"{w.models[0]}.csv"
    lines = path.read_text().splitlines()
    nothing = lines[2].rpartition(",")[0] + ","
    bad = [lines[0], lines[1].rpartition(",")[0] + ",oops", nothing, lines[2], *lines[3:-1]]
    path.write_text("\n".join(bad))
    assert places(score, folder, w.targets) == [
        ("not_a_number", f"{path.name}, row 2"),
        ("nan_in_predictions", f"{path.name}, row 3"),
        ("duplicate_ids", f"{path.name}, row 4"),
        ("missing_ids", f"predictions, era 3, model {w.models[0]}"),
    ]


@pytest.mark.parametrize("layout", [lambda t: t, long])
def test_a_bad_cell_of_one_file_is_told_once_and_its_model_left_out(tmp_path, layout):
    w = world(5, n_eras=1, absent=False)
    path = tmp_path / "predictions.csv"
    table = layout(w.predictions)
    write_table(table, path)
    lines = path.read_text().splitlines()
    lines[1] = lines[1].rpartition(",")[0] + ",oops"
    path.write_text("\n".join(lines))
    model = "" if layout is not long else f", model {table['model'][0]}"
    assert places(score, path, w.targets) == [("not_a_number", f"predictions.csv, row 2{model}")]
    found = score(path, w.targets, metrics="corr", invalid="leave_out")
    assert found["corr"].null_count == 1


def test_an_unreadable_submission_is_left_out_and_the_others_scored(tmp_path):
    w = world(5, absent=False)
    folder = submissions(tmp_path / "round", w.predictions)
    (folder / "broken.parquet").write_bytes(b"PAR1")
    (folder / "twice.csv").write_text("id,prediction\nx,1\n")
    (folder / "twice.feather").write_text("id,prediction\nx,1\n")
    told = []
    stakes = w.stakes | {"broken": 1000, "twice": 1000}
    found = score(folder, w.targets, stakes, invalid="leave_out", problems=told)
    assert bits(found) == bits(score(w.predictions, w.targets, w.stakes))
    assert [p.code for p in told] == ["duplicate_model", "cannot_parse", "missing_columns", "cannot_parse"]


def test_when_no_submission_can_be_read_that_is_what_is_told(write):
    folder = write("round/a.csv", "id\nx\n").parent
    targets = pa.table({"id": ["x", "y"], "target": [0.0, 1.0]})
    found = [p.code for p in problems(score, folder, targets, invalid="leave_out")]
    assert found == ["missing_columns"]
    assert [p.code for p in problems(score, folder / "b.csv", targets)] == ["not_found"]


# --- writing ---------------------------------------------------------------------------------------------------


def test_json_is_a_list_of_records_with_null_for_what_is_no_number(tmp_path):
    table = pa.table(
        {"id": ["é", "b"], "x": [0.1, float("nan")], "n": pa.array([None, 2]), "d": [date(2024, 1, 5)] * 2}
    )
    write_table(table, tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text(encoding="utf-8")
    assert json.loads(text) == [
        {"id": "é", "x": 0.1, "n": None, "d": "2024-01-05"},
        {"id": "b", "x": None, "n": 2, "d": "2024-01-05"},
    ]


def test_a_csv_quotes_text_and_leaves_what_is_missing_blank(tmp_path):
    write_table(pa.table({"id": ["a,b", "c"], "x": [0.1, None]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1:] == ['"a,b",0.1', '"c",']


def test_a_path_that_cannot_be_written_is_refused(tmp_path):
    table = pa.table({"id": ["a"]})
    assert [p.code for p in problems(write_table, table, tmp_path / "t.xlsx")] == ["unknown_kind"]
    for ending in [*ENDINGS, ".json"]:
        assert [p.code for p in problems(write_table, table, tmp_path / "no" / f"t{ending}")] == ["cannot_write"]
