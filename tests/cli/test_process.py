"""The command as a process of its own: what it imports, what a terminal and a pipe get, how it ends."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from crowdalpha.cli import COMMANDS

HEAVY = ("numpy", "pyarrow", "numba", "rich", "jinja2", "narwhals", "sklearn", "sqlalchemy", "alembic")
COMMAND = [sys.executable, "-c", "from crowdalpha.cli import main; main()"]


def imported(program):
    """What a program has imported when it ends, whichever way."""
    ending = "finally:\n    import sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"try:\n    {program}\n{ending}"], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stderr.split()}


def on_a_terminal(*arguments, columns=80):
    """All that a terminal of some width is sent by a command, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=env | {"TERM": "xterm"}
    )
    os.close(theirs)
    sent = b""
    try:
        while part := os.read(ours, 4096):
            sent += part
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return sent.decode(), process.wait()


@pytest.mark.parametrize(
    "program",
    [
        "import crowdalpha",
        "from crowdalpha.cli import main; main(['--help'])",
        "from crowdalpha.cli import main; main(['score', '--help'])",
        "from crowdalpha.cli import main; main(['demo', '--help'])",
        "from crowdalpha.cli import main; main(['round', 'schedule', '--help'])",
        "from crowdalpha.cli import main; main(['verify', '--help'])",
    ],
)
def test_to_ask_for_help_nothing_heavy_is_imported(program):
    assert not imported(program) & set(HEAVY)


def test_the_installed_script_names_its_version_and_every_command():
    script = os.path.join(os.path.dirname(sys.executable), "crowdalpha")
    asked = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    for name in COMMANDS:
        assert f"\n  {name} " in asked.stdout
    version = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("crowdalpha, version ")


def test_a_pipe_gets_plain_text_and_no_progress(tournament):
    files = "score", tournament["wide.csv"], "--targets", tournament["targets.csv"]
    done = subprocess.run([*COMMAND, *files], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "5 models, 14 eras" in done.stdout


def test_a_terminal_sees_progress_that_goes_away_and_a_table_that_fits(tournament):
    sent, code = on_a_terminal("score", tournament["wide.csv"], "--targets", tournament["targets.csv"], columns=60)
    assert code == 0
    bar, table = sent.rsplit("\x1b[2K", 1)
    assert "Reading" in bar
    assert "Scoring" in bar
    plain = "".join(part.partition("m")[2] if part.startswith("[") else part for part in table.split("\x1b"))
    assert max(len(line) for line in plain.splitlines()) <= 60
    assert "no room for share" in plain


def test_refusals_on_a_terminal_leave_with_3_and_its_colour_as_it_was(tournament):
    sent, code = on_a_terminal("metamodel", tournament["nowhere.csv"])
    assert code == 3
    assert sent.rstrip().endswith("[not_found]\x1b[0m")


def test_a_reader_that_has_had_enough_ends_the_command_quietly():
    process = subprocess.Popen([*COMMAND, "metrics", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), said) == (1, b"")


def test_names_and_json_get_through_a_narrow_encoding(tmp_path):
    (tmp_path / "p.csv").write_text("id,流感é\na,1\nb,2\n", encoding="utf-8")
    (tmp_path / "t.csv").write_text("id,target\na,0\nb,1\n")
    files = ["score", str(tmp_path / "p.csv"), "--targets", str(tmp_path / "t.csv"), "--bags", "0"]
    program = f"from crowdalpha.cli import main\nfor a in [], ['--json']: main({files!r} + a, standalone_mode=False)"
    env = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=env, check=True)
    table, json_begins, rest = done.stdout.decode("latin-1").partition("\n{")
    assert r"\u6d41\u611fé" in table
    assert json.loads(json_begins + rest)["models"][0]["model"] == "流感é"
