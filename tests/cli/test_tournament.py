"""A tournament by its commands, from its first day to a round that is resolved, ranked, proven and kept."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from cups import AFTER, BEFORE, BETWEEN, CLOSES, FIRST_DAY, IDS, MODELS, OPENS, RESOLVES, ROUND, Cup

from crowdalpha.tournament.ports import BusyError

SCRIPT = Path(sys.executable).parent / "crowdalpha"


# before the round


def test_a_new_folder_has_the_settings_and_a_secret_that_only_its_owner_may_read(cup, tmp_path):
    made = cup.read("init", tmp_path / "other", "--name", "Another")
    assert made["name"] == "Another"
    assert Path(made["settings"]).read_text().startswith('name = "Another"')
    assert Path(made["secret"]).stat().st_mode & 0o777 == 0o600


def test_an_account_shows_its_wallet_its_models_what_waits_and_every_entry(cup):
    statement = cup.read("account", "show", "ada")
    assert statement["account"] == {"id": "ada", "name": "Ada", "created_at": "2026-01-01T00:00:00+00:00"}
    assert statement["wallet"] == "87.5"
    assert [(held["model"]["id"], held["stake"], held["reserve"]) for held in statement["models"]] == [
        ("ada", "0", "12.5")
    ]
    assert [(change["id"], change["amount"], change["status"]) for change in statement["pending"]] == [
        ("stake-ada", "12.5", "pending")
    ]
    assert [entry["id"] for entry in statement["entries"]] == ["deposit:deposit-ada", "reserve:stake-ada"]
    told = cup.run("account", "show", "ada")
    assert "Ada (ada): 87.5 in the wallet" in told
    assert "stake-ada: increase of ada by 12.5 waits for the close of round 1" in told
    assert "deposit:deposit-ada   wallet" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "open", "ada", "--name", "Ada"),
        ("account", "model", "ada", "ada"),
        ("account", "deposit", "ada", "100", "--id", "deposit-ada"),
        ("stake", "increase", "ada", "12.5", "--id", "stake-ada"),
    ],
)
def test_a_command_repeated_with_its_id_does_nothing_twice(cup, arguments):
    before = cup.read("account", "show", "ada")
    again = cup.read(*arguments, "--now", BEFORE)
    assert again.get("new", False) is False
    assert cup.read("account", "show", "ada") == before


def test_amounts_are_exact_to_the_last_unit(cup):
    deposited = cup.read("account", "deposit", "ada", "0.000000001", "--now", BEFORE)
    assert (deposited["amount"], deposited["balance"]) == ("0.000000001", "87.500000001")
    withdrawn = cup.read("account", "withdraw", "ada", "87.5", "--now", BEFORE)
    assert withdrawn["balance"] == "0.000000001"
    assert cup.read("account", "withdraw", "treasury", "999.999999999", "--now", BEFORE)["balance"] == "0.000000001"


def test_without_an_id_the_same_command_is_done_again(cup):
    for balance in ("88.5", "89.5"):
        assert cup.read("account", "deposit", "ada", "1", "--now", BEFORE)["balance"] == balance


def test_a_model_may_choose_its_payout_and_be_a_benchmark(cup):
    chosen = cup.read("account", "choose", "ada", "--payout", 0, 2, "--now", BEFORE)
    assert (chosen["corr_multiplier"], chosen["mmc_multiplier"]) == (0, 2)
    assert "paid 0 x CORR + 2 x MMC" in cup.run("account", "show", "ada")
    assert cup.read("account", "choose", "ada", "--now", BEFORE)["corr_multiplier"] is None
    assert cup.read("account", "model", "bob", "old", "--benchmark", "--now", BEFORE)["benchmark"] is True
    assert "a benchmark" in cup.run("account", "show", "bob")
    assert cup.codes("stake", "increase", "old", "1", "--now", BEFORE) == ["benchmark_staked"]


def test_a_pending_change_can_be_taken_back(cup):
    cancelled = cup.read("stake", "cancel", "stake-ada", "--now", BEFORE)
    assert cancelled["status"] == "cancelled"
    assert cup.read("account", "show", "ada")["wallet"] == "100"
    assert cup.read("stake", "show", "ada")["pending"] == []


def test_a_stake_can_be_decreased_and_drained_once_it_is_there(cup):
    cup.run("tick", "--now", CLOSES)
    less = cup.read("stake", "decrease", "ada", "2.5", "--id", "less", "--now", CLOSES)
    assert (less["kind"], less["amount"], less["release_round"]) == ("decrease", "2.5", 1)
    assert "paid back when round 1 resolves" in cup.run("stake", "drain", "bob", "--now", CLOSES)
    shown = cup.run("stake", "show", "ada")
    assert "less: decrease of ada by 2.5 waits for the close of round 2" in shown


def test_a_round_is_announced_with_its_times_its_rule_and_its_commitment(cup):
    round = cup.read("round", "show", 1)["round"]
    times = ["2026-01-03T18:00:00+00:00", "2026-01-05T18:00:00+00:00", "2026-01-08T18:00:00+00:00"]
    assert [round["open_time"], round["close_time"], round["resolve_time"]] == times
    assert round["scoring_times"] == ["2026-01-06T18:00:00+00:00", "2026-01-07T18:00:00+00:00"]
    assert (round["rule"], round["metrics"]) == ("corr-or-twice-mmc", ["corr", "mmc2"])
    assert re.fullmatch("[0-9a-f]{64}", round["commitment"])
    assert round["commitment"] in cup.run("round", "show", 1)


def test_a_round_can_be_described_by_a_file_whose_paths_begin_at_its_folder(cup, tmp_path, monkeypatch):
    lines = ["number = 2", "open = 2026-01-10T18:00:00Z", 'close = "2026-01-11T18:00Z"', "scoring-days = 1"]
    lines += ['metrics = ["corr", "fnc"]', 'features = "features.csv"', 'universe = "ids.csv"', 'ties = "first"']
    (cup.home / "round.toml").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    round = cup.read("round", "schedule", "--from", cup["round.toml"], "--ties", "average", "--now", BEFORE)
    assert (round["number"], round["close_time"], round["ties"]) == (2, "2026-01-11T18:00:00+00:00", "average")
    assert round["metrics"] == ["corr", "fnc", "mmc2"]
    assert round["features"]
    (cup.home / "round.json").write_text(json.dumps({"number": 3, "open": "2026-01-20", "features": "features.csv"}))
    third = cup.read("round", "schedule", "--from", cup["round.json"], "--now", BEFORE)
    assert (third["universe"], third["features"]) == (round["universe"], round["features"])
    assert len(third["scoring_times"]) == 20
    assert [each["round"]["number"] for each in cup.read("round", "list")] == [1, 2, 3]


# the round


def test_a_good_submission_gets_a_receipt_with_its_hash_time_and_round(cup):
    arguments = ("submit", cup["ada.csv"], "--model", "ada", "--id", "mine", "--now", BETWEEN)
    receipt = cup.read(*arguments)
    assert receipt["content_hash"] == sha256(Path(cup["ada.csv"]).read_bytes()).hexdigest()
    assert (receipt["id"], receipt["round"], receipt["status"], receipt["n_ids"]) == ("mine", 1, "on_time", len(IDS))
    assert receipt["received_at"] == "2026-01-04T11:00:00+00:00"
    told = cup.run(*arguments)
    assert "ada, round 1: received 2026-01-04 11:00:00Z, on time\n30 ids, SHA-256" in told


def test_a_bad_submission_is_refused_with_all_its_problems_in_a_table(cup):
    arguments = ("submit", cup["bad.csv"], "--model", "ada", "--now", BETWEEN)
    codes = cup.codes(*arguments)
    assert codes == ["invalid_submission_ids", "invalid_submission_values", "invalid_submission_values"]
    told = cup.run(*arguments, code=3)
    assert "bad.csv is refused: 3 problems" in told
    assert re.search(r"row 6 +invalid_submission_values +expected plain numbers.*found 'much' +correct the cell", told)
    assert re.search(r"row 2 +invalid_submission_values +expected 0 to 1, found 7 +rank or rescale", told)


def test_after_the_close_a_submission_is_late_and_says_so(cup):
    cup.run("tick", "--now", CLOSES)
    told = cup.run("submit", cup["cy.csv"], "--model", "cy", "--now", CLOSES)
    assert "late: nothing is at risk, and it counts for the next round unless another comes" in told


def test_a_round_moves_on_one_by_one_when_its_time_has_come(cup):
    for day in ((), ("--day", 1), ("--day", 2)):
        cup.run("round", "target", 1, cup["target.csv"], *day)
    assert cup.codes("round", "open", 1, "--now", BEFORE) == ["not_due"]
    assert cup.read("round", "open", 1, "--now", OPENS) == {"done": ["open:1"]}
    assert cup.codes("round", "close", 1, "--now", BETWEEN) == ["not_due"]
    assert cup.run("round", "close", 1, "--now", CLOSES) == "round 1: closed\n"
    assert cup.run("round", "score", 1, "--now", RESOLVES) == "round 1: day 1 scored\nround 1: day 2 scored\n"
    assert cup.read("round", "resolve", 1, "--now", RESOLVES) == {"done": ["resolve:1"]}
    assert cup.codes("round", "resolve", 1, "--now", RESOLVES) == ["not_due"]


def test_tick_says_what_was_done_what_waits_and_what_comes_next(cup):
    opened = cup.read("tick", "--now", OPENS)
    assert opened == {
        "done": ["open:1"],
        "waiting": [],
        "next": {"event": "close:1", "time": "2026-01-05T18:00:00+00:00"},
    }
    told = cup.run("tick", "--now", FIRST_DAY)
    assert told == "round 1: closed\nround 1 waits for the target of day 1, or its beacon\n"
    assert cup.codes("round", "score", 1, "--now", FIRST_DAY) == ["waits"]
    cup.run("round", "target", 1, cup["target.csv"], "--day", 1)
    told = cup.run("tick", "--now", FIRST_DAY)
    assert told == "round 1: day 1 scored\nnext: round 1 is scored for day 2, 2026-01-07 18:00:00Z\n"
    assert cup.run("tick", "--now", FIRST_DAY).startswith("nothing is due\n")


def test_a_round_that_waits_for_a_beacon_takes_the_first_value_after_its_close(cup):
    arguments = ("round", "schedule", "--number", 2, *ROUND, "--universe", cup["ids.csv"], "--now", BEFORE)
    cup.run(*arguments, "--beacon", "drand quicknet")
    assert cup.codes("round", "beacon", 2, 1, "00ff", "--now", CLOSES) == ["wrong_beacon"]
    wanted = re.search(r"value (\d+) of", cup.run("round", "beacon", 2, 1, "00ff", "--now", CLOSES, code=3))[1]
    assert cup.codes("round", "beacon", 2, wanted, "00FF", "--now", CLOSES) == ["bad_beacon"]
    assert cup.read("round", "beacon", 2, wanted, "FF" * 32, "--now", CLOSES)["value"] == "ff" * 32


def test_a_tick_that_has_no_turn_is_tried_again(cup, monkeypatch):
    answers = iter([BusyError("no turn within 60 s"), ["open:1"], [], KeyboardInterrupt()])

    def tick(engine, now):
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr("crowdalpha.engine.Engine.tick", tick)
    told = cup.run("tick", "--every", "0.001")
    assert told.splitlines()[0] == "round 1: opened"
    assert next(answers, None) is None


# what came of it


def test_a_resolved_round_shows_who_came_what_was_at_risk_and_what_was_paid(played):
    found = played.read("round", "show", 1)
    assert (found["stage"], found["on_time"], found["late"], found["at_risk"]) == ("resolved", 2, 1, "25")
    assert float(found["paid"]) > 0
    told = played.run("round", "show", 1)
    assert "2 of 2 scoring days done, from 2026-01-06 18:00:00Z to 2026-01-07 18:00:00Z." in told
    assert "The metamodel itself: corr +." in told
    assert re.search(r"1 round\n.*\n.*\n +1 +resolved +2026-01-03 18:00:00Z", played.run("round", "list"))


def test_the_leaderboard_has_ranks_intervals_and_who_cannot_be_told_apart(played):
    board = played.read("leaderboard", "--metric", "corr", "--now", AFTER)
    assert [line["name"] for line in board["lines"]] == list(MODELS)
    assert board["rounds"] == [1]
    assert [line["rank"] for line in board["lines"]] == [1, 2, None], "cy was too late"
    assert [(pair["one"], pair["other"]) for pair in board["equals"]] == [("ada", "bob")]
    told = played.run("leaderboard", "--metric", "corr", "--window", "20 rounds", "--now", AFTER)
    assert told.startswith("corr over 1 round, by mean\n")
    assert "ada cannot be told apart from bob." in told
    by_account = played.read("leaderboard", "--by-account", "--window", "all", "--now", AFTER)
    assert by_account["lines"][-1]["rank"] is None, "cy had nothing at risk"


def test_a_model_whose_id_nobody_can_read_is_called_by_its_name(cup):
    cup.run("account", "open", "eve", "--now", "2026-01-01")
    cup.run("account", "model", "eve", "5f0c9a1e-7777", "--name", "first", "--now", "2026-01-01")
    assert "first (5f0c9a1e)" in cup.run("leaderboard", "--window", "all", "--now", "2026-01-02")


@pytest.mark.parametrize(("window", "rounds"), [("3w", []), ("60d", [1]), ("1 round", [1]), ("9999y", [1])])
def test_a_window_goes_back_by_days_by_years_by_rounds_or_to_the_beginning(played, window, rounds):
    assert played.read("leaderboard", "--window", window, "--now", AFTER)["rounds"] == rounds


def test_rescoring_shows_what_another_rule_would_have_paid_beside_what_was_paid(played):
    found = played.read("rescore", 1, "--rule", "corr", "--ties", "first", "--now", AFTER)
    assert found["rule_set"] == "corr, ties first"
    assert {payout["model"] for payout in found["paid"]} == set(MODELS)
    told = played.run("rescore", 1, "--rule", "corr", "--now", AFTER)
    assert re.search(r"model .*at risk +would have paid +paid\n", told)
    assert re.search(rf"ada .* 12\.5 +\S+ +{re.escape(found['paid'][0]['paid'])}\n", told)


# proof


def test_a_bundle_is_proven_on_a_machine_without_a_tournament(played, tmp_path, monkeypatch):
    whole, share = tmp_path / "round.zip", tmp_path / "ada.zip"
    made = played.read("bundle", 1, "-o", whole)
    assert made["sha256"] == sha256(whole.read_bytes()).hexdigest()
    assert f"the share of ada in round 1 is in {share}" in played.run("bundle", 1, "--model", "ada", "-o", share)
    elsewhere = Cup(tmp_path)
    assert elsewhere.run("verify", whole) == "round 1: proven\n"
    assert elsewhere.run("verify", share) == "the share of ada in round 1: proven\n"
    assert elsewhere.read("verify", whole) == [{"what": "round 1", "proven": True, "problems": []}]
    assert b"1-bob" not in b"".join(zipfile.ZipFile(share).read(name) for name in zipfile.ZipFile(share).namelist())


def test_a_changed_number_in_a_bundle_is_named_and_ends_with_1(played, tmp_path):
    bundle, forged = tmp_path / "round.zip", tmp_path / "forged.zip"
    played.run("bundle", 1, "-o", bundle)
    with zipfile.ZipFile(bundle) as before, zipfile.ZipFile(forged, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "at_risk.jsonl":
                content = content.replace(b"12500000000", b"12500000001", 1)
            after.writestr(name, content)
    told = played.run("verify", forged, code=1)
    assert re.search(
        r"round 1: differs in \d+ places, first\n +stake at risk of ada: expected 12\.5, found 12\.5", told
    )


def test_a_round_and_everything_is_verified_in_place(played):
    assert played.run("verify", 1) == "round 1: proven\n"
    told = played.run("verify", "--all")
    assert re.fullmatch(r"the money and the log up to \d+:[0-9a-f]{64}: in order\nround 1: proven\n", told)


def test_a_head_that_was_published_shows_a_log_that_was_written_anew(played):
    number, hash = re.search(r"up to (\d+):([0-9a-f]{64})", played.run("verify", "--all")).groups()
    assert "in order" in played.run("verify", "--all", "--head", f"{number}:{hash}")
    other = played.run("verify", "--all", "--head", f"{number}:{'0' * 64}", code=1)
    assert "[event_changed]" in other
    assert "[event_missing]" in played.run("verify", "--all", "--head", f"{int(number) + 1}:{hash}", code=1)
    assert "64 hex digits" in played.run("verify", "--all", "--head", "7", code=2)
    assert "goes with --all" in played.run("verify", 1, "--head", f"{number}:{hash}", code=2)


def test_a_changed_score_is_the_first_number_that_differs(spoiled):
    cup = spoiled("update score set value = value + 1e-9 where model = 'bob' and metric = 'mmc2' and day = 2")
    told = cup.run("verify", 1, code=1)
    assert told.splitlines()[1].strip().startswith("mmc2 of bob on day 2: expected ")
    (found,) = cup.read("verify", 1, code=1)
    assert found["proven"] is False
    assert found["problems"][0]["code"] == "number_differs"


def test_a_changed_balance_and_a_changed_event_are_found_among_everything(spoiled):
    spoiled("update balance set amount = amount + 1 where account = 'wallet:ada'")
    cup = spoiled("update event set payload = replace(payload, 'Ada', 'Eve') where kind = 'account.opened'")
    books, round = cup.read("verify", "--all", code=1)
    assert books["problems"][0]["code"] == "balance_astray"
    assert len(books["problems"]) == 2
    assert round["proven"] is True


# keeping


def test_a_backup_restores_into_a_folder_that_is_proven_and_goes_on(played, tmp_path):
    file, copy = tmp_path / "backup.zip", Cup(tmp_path)
    made = played.read("backup", file, "--now", AFTER)
    assert (made["file"], made["lost"], made["secret"]) == (str(file), [], False)
    restored = played.read("restore", file, "--into", copy.folder)
    assert (restored["members"], restored["secret"]) == (made["members"], False)
    assert copy.codes("tick", "--now", AFTER) == ["secret_missing"]
    shutil.copy(played.folder / "master.secret", copy.folder)
    assert copy.run("verify", "--all").endswith("round 1: proven\n")
    assert copy.read("account", "show", "ada") == played.read("account", "show", "ada")


def test_a_backup_may_hold_the_secret_and_is_never_written_over(played, tmp_path):
    file = tmp_path / "backup.zip"
    assert "The master secret is in it." in played.run("backup", file, "--with-secret", "--now", AFTER)
    assert played.codes("backup", file, "--now", AFTER) == ["backup_taken"]
    told = played.run("restore", file, "--into", tmp_path / "copy")
    assert told == f"{tmp_path / 'copy'} is as it was at 2026-02-01 00:00:00Z: {told.split()[-2]} members.\n"
    assert set(played.codes("restore", file, "--into", played.folder)) == {"not_empty"}


# as a process


def test_as_processes_of_their_own_the_commands_work_together_and_tick_goes_on_until_interrupted(cup):
    env = os.environ | {"CROWDALPHA_TOURNAMENT": str(cup.folder)}
    ticking = subprocess.Popen(
        [SCRIPT, "tick", "--every", "0.05", "--json"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = json.loads(ticking.stdout.readline())
    assert first["done"] == ["open:1", "close:1"], "the clock of this machine is later than January 2026"
    assert first["waiting"] == ["score:1:1"]
    for day in ("1", "2"):
        cup.run("round", "target", 1, cup["target.csv"], "--day", day)
    done = []
    while "score:1:2" not in done:
        done += json.loads(ticking.stdout.readline())["done"]
    ticking.send_signal(signal.SIGINT)
    _, said = ticking.communicate(timeout=20)
    assert (ticking.returncode, said) == (0, "")
    shown = subprocess.run([SCRIPT, "round", "list"], env=env, check=True, capture_output=True, text=True)
    assert "scoring" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_accounts_are_listed_with_their_wallets_and_models(cup):
    cup.run("account", "open", "dan", "--now", BEFORE)
    cup.run("account", "model", "ada", "ada-2", "--now", BEFORE)
    listed = cup.read("account", "list")
    assert [(each["account"]["id"], each["wallet"]) for each in listed] == [
        ("ada", "87.5"), ("bob", "87.5"), ("cy", "87.5"), ("dan", "0"),
    ]  # fmt: skip
    assert [held["model"]["id"] for held in listed[0]["models"]] == ["ada", "ada-2"]
    assert listed[0]["models"] == cup.read("account", "show", "ada")["models"]
    told = cup.run("account", "list")
    assert told.startswith("4 accounts")
    assert "dan" in told
    assert "ada-2" in told
