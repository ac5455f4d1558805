"""Tables keep their numbers whole on any terminal, and their names in one line in a pipe."""

import pytest

from crowdalpha.cli.layout import print_table

LONG = "a_model_with_an_uncommonly_long_name_that_its_owner_is_fond_of"
COLUMNS = ("model", "stake", "corr", "mmc2")
ROWS = [
    (LONG, "1,234.00", "+.1234", "-.0567"),
    ("b", "10.00", "+.0001", "-"),
    ("流感预测" * 6, "1.00", "-.5000", "+.2"),
]


@pytest.fixture
def lines(capsys, monkeypatch):
    def shown(width, **options):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr("crowdalpha.cli.layout._on_a_terminal", lambda: width > 0)
        print_table("Title", COLUMNS, ROWS, **options)
        return capsys.readouterr().out.splitlines()

    return shown


@pytest.mark.parametrize("width", [10, 30, 45, 60, 80, 120, 200])
def test_no_number_is_ever_cut(lines, width):
    text = " ".join(lines(width))
    assert all(number in text for row in ROWS for number in row[1:])


@pytest.mark.parametrize("width", [45, 60, 80, 120])
def test_a_table_fits_its_terminal_and_folded_names_are_whole(lines, width):
    from rich.cells import cell_len

    shown = lines(width)
    assert max(map(cell_len, shown)) <= width
    folded = "".join(line.split("  ")[1].strip() for line in shown[3:] if line.startswith("  "))
    assert LONG in folded
    assert ROWS[2][0] in folded


def test_what_can_be_spared_goes_first_and_is_said(lines):
    assert "stake" in lines(53, spare=("stake", "corr"))[1]
    shown = lines(52, spare=("stake", "corr"))
    assert shown[1].split() == ["model", "corr", "mmc2"]
    assert "no room for stake" in shown
    assert "no room for stake, corr" in lines(41, spare=("stake", "corr"))
    assert "stake" in lines(41)[1]


def test_in_a_pipe_a_row_is_a_line_without_blanks_at_its_end(lines):
    shown = lines(0, caption="One line.\nAnother.")
    assert shown[0] == "Title"
    assert [line.split()[0] for line in shown[3:6]] == [LONG, "b", ROWS[2][0]]
    assert shown[6:] == ["One line.", "Another.", ""]
    assert not any(line.endswith(" ") for line in shown)
