"""What a tournament cannot do its commands say at once: exit code 2 for wrong use, 3 for what is refused."""

import sqlite3

import pytest
from cups import AFTER, BEFORE, BETWEEN, CLOSES, OPENS, Cup

SCHEDULE = ("round", "schedule", "--number", "2", "--open", OPENS)


@pytest.fixture
def here(cup, monkeypatch):
    """A tournament in the folder `cup` of the current one, found without being named."""
    monkeypatch.chdir(cup.home)
    return cup


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("account", "deposit", "ada", "12,5"), "plain digits such as 12.5"),
        (("account", "deposit", "ada", "1e3"), "plain digits such as 12.5"),
        (("account", "deposit", "ada", "nan"), "plain digits such as 12.5"),
        (("account", "deposit", "ada", "0.0000000001"), "at most 9 decimals"),
        (("account", "deposit", "ada", "99999999999"), "at most 9223372036.854775807 coins"),
        (("account", "deposit", "ada", "-1"), "No such option"),
        (("stake", "increase", "ada", "ten"), "plain digits such as 12.5"),
        (("account", "open", " "), "is no id"),
        (("account", "open", "a\x1b[2J"), "is no id"),
        (("account", "deposit", "ada", "1", "--id", ""), "is no id"),
        (("account", "model", "ada", "new", "--payout", "1"), "requires 2 arguments"),
        (("tick", "--now", "yesterday"), "is no time such as 2026-01-03T18:00Z"),
        (("tick", "--now", "0001-01-01T00:00+14:00"), "is no time such as"),
        (("tick", "--now", OPENS, "--every", "1"), "leave --now out"),
        (("tick", "--every", "0"), "not in the range"),
        (("round", "show", "0"), "not in the range"),
        (("round", "show", "99999999999999999999"), "not in the range"),
        (("round", "beacon", "1", "1", "xyz"), "is not hexadecimal"),
        (SCHEDULE, "Name the ids with --universe"),
        ((*SCHEDULE, "--universe", "ids.csv", "--metrics", "corr,mmc3"), "no metric mmc3"),
        ((*SCHEDULE[:-1], "9999-12-31", "--universe", "ids.csv"), "beyond the calendar"),
        ((*SCHEDULE, "--universe", "ids.csv", "--days", "0"), "not in the range"),
        (("round", "schedule", "--from", "nowhere.toml"), "cannot be read"),
        (("round", "schedule", "--from", "ids.csv"), "cannot be read"),
        (("round", "schedule", "--from", "strange.toml"), "says color; there are number, open, close"),
        (("round", "schedule", "--from", "list.json"), "names no options"),
        (("leaderboard", "--window", "a while"), "is no window such as 1y"),
        (("leaderboard", "--method", "median"), "is not one of"),
        (("bundle", "1", "-o", "proof.txt"), "must end in one of .zip"),
        (("verify",), "Name a round, a file, or --all"),
        (("verify", "1", "--all"), "Name a round, a file, or --all"),
        (("submit", "ada.csv"), "Missing option '--model'"),
        (("restore", "b.zip"), "Missing option '--into'"),
    ],
)
def test_wrong_use_leaves_with_2_and_says_what_is_wrong(here, arguments, said):
    (here.home / "strange.toml").write_text('number = 2\ncolor = "red"\n')
    (here.home / "list.json").write_text("[1]")
    assert said in " ".join(here.run(*arguments, code=2).split())


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("account", "show", "nobody"), ["unknown"]),
        (("account", "deposit", "nobody", "1"), ["unknown"]),
        (("account", "deposit", "ada", "0", "--now", BEFORE), ["amount_not_positive"]),
        (("account", "deposit", "ada", "5", "--id", "deposit-ada", "--now", BEFORE), ["id_taken"]),
        (("account", "withdraw", "ada", "88", "--now", BEFORE), ["overdrawn"]),
        (("account", "open", "ada", "--name", "Another", "--now", BEFORE), ["id_taken"]),
        (("account", "model", "nobody", "m", "--now", BEFORE), ["unknown"]),
        (("account", "model", "ada", "metamodel", "--now", BEFORE), ["reserved_id"]),
        (("account", "choose", "nobody", "--now", BEFORE), ["unknown"]),
        (("stake", "increase", "ada", "88", "--now", BEFORE), ["overdrawn"]),
        (("stake", "decrease", "ada", "1", "--now", BEFORE), ["nothing_staked"]),
        (("stake", "drain", "nobody", "--now", BEFORE), ["unknown"]),
        (("stake", "cancel", "nothing", "--now", BEFORE), ["unknown"]),
        (("stake", "cancel", "stake-ada", "--now", CLOSES), ["not_pending"]),
        (("round", "show", "9"), ["unknown"]),
        (("round", "open", "1", "--now", BEFORE), ["not_due"]),
        (("round", "target", "1", "half.csv", "--column", "a"), ["target_incomplete"]),
        (("round", "target", "1", "twice.csv"), ["id_twice"]),
        (("round", "target", "1", "gaps.csv"), ["not_finite"]),
        (("round", "target", "1", "ada.csv"), ["missing_columns"]),
        (("round", "target", "1", "nowhere.csv"), ["not_found"]),
        (("round", "target", "1", "target.csv", "--id-column", "name"), ["missing_columns"]),
        (("round", "beacon", "1", "1", "00", "--now", CLOSES), ["no_beacon"]),
        ((*SCHEDULE, "--close", BEFORE, "--universe", "ids.csv"), ["bad_times"]),
        ((*SCHEDULE, "--rule", "mine", "--universe", "ids.csv"), ["unknown_rule"]),
        ((*SCHEDULE, "--beacon", "dice", "--universe", "ids.csv"), ["unknown_beacon"]),
        ((*SCHEDULE, "--universe", "ids.csv", "--features", "half.csv"), ["ids_differ"]),
        ((*SCHEDULE, "--features", "words.csv"), ["not_numeric"]),
        (("submit", "nowhere.csv", "--model", "ada"), ["cannot_access"]),
        (("submit", "ada.csv", "--model", "nobody", "--now", BETWEEN), ["unknown"]),
        (("submit", "ada.csv", "--model", "ada", "--now", BEFORE), ["invalid_submission_round"]),
        (("bundle", "1", "-o", "proof.zip"), ["not_resolved"]),
        (("rescore", "1", "--rule", "corr", "--now", AFTER), ["not_resolved"]),
        (("verify", "1"), ["not_resolved"]),
        (("verify", "9"), ["unknown"]),
        (("verify", "nowhere.zip"), ["cannot_access"]),
        (("verify", "ids.csv"), ["bundle_unreadable"]),
        (("init", "cup"), ["settings_taken"]),
        (("restore", "ids.csv", "--into", "new"), ["backup_damaged"]),
    ],
)
def test_what_is_refused_leaves_with_3_and_changes_nothing(here, arguments, codes):
    write(here)
    before = state(here)
    assert here.codes(*arguments) == codes
    assert state(here) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "show", "ada"),
        ("round", "list"),
        (*SCHEDULE, "--universe", "ids.csv"),
        ("submit", "ada.csv", "--model", "ada"),
        ("tick",),
        ("leaderboard",),
        ("verify", "--all"),
        ("backup", "b.zip"),
    ],
)
def test_in_a_folder_without_a_tournament_every_command_says_so(here, arguments):
    lost = Cup(here.home / "nowhere")
    assert lost.codes(*arguments) == ["settings_missing"]
    assert "make one with `crowdalpha init`" in lost.run(*arguments, code=3)


def test_a_refused_file_is_named_where_it_lies(here):
    assert here.run("verify", "ids.csv", code=3).startswith("ids.csv, bundle: expected a zip")
    assert here.run("round", "target", "1", "gaps.csv", code=3).startswith("gaps.csv: ")


def test_a_verdict_on_an_upload_needs_no_more_of_it_than_is_allowed(here):
    (here.home / "huge.csv").write_bytes(b"x" * 20_000_001)
    assert here.codes("submit", "huge.csv", "--model", "ada", "--now", BETWEEN) == ["invalid_submission_file"]


def test_the_folder_may_be_named_by_an_option_before_the_environment(here):
    other = Cup(here.home / "other")
    assert other.read("account", "show", "ada", "--tournament", here.folder)["wallet"] == "87.5"


def write(here):
    lines = (here.home / "target.csv").read_text().splitlines()
    files = {"twice": [*lines, lines[1]], "gaps": [*lines[:-1], "i29,"], "half": ["id,a", "i00,1", "i01,2"]}
    files["words"] = ["id,a", "i00,tall", "i01,small"]
    for name, rows in files.items():
        (here.home / f"{name}.csv").write_text("\n".join(rows) + "\n")


def state(here):
    """All that the tournament remembers, and the files that are there."""
    with sqlite3.connect(here.folder / "tournament.db") as database:
        said = list(database.iterdump())
    database.close()
    return said, sorted(path.name for path in here.home.iterdir())


def test_accounts_and_models_may_be_named_by_what_they_are_called(here):
    assert here.read("account", "deposit", "BOB", "1", "--id", "by-name", "--now", BEFORE)["balance"] == "88.5"
    here.run("account", "model", "Bob", "8f14", "--name", "second try", "--now", BEFORE)
    asked = here.read("stake", "increase", "Second Try", "1", "--id", "by-name", "--now", BEFORE)
    assert (asked["model"], asked["amount"]) == ("8f14", "1")
    assert "second try   8f14" in here.run("stake", "show", "bob")
    assert "increase of second try by 1 waits" in here.run("account", "show", "Bob")


def test_a_name_that_several_have_is_no_name(here):
    here.run("account", "open", "other", "--name", "Ada", "--now", BEFORE)
    here.run("account", "open", "third", "--name", "Ada", "--now", BEFORE)
    assert here.read("account", "show", "ada")["account"]["id"] == "ada"
    assert here.codes("account", "show", "ADA") == ["name_shared"]
