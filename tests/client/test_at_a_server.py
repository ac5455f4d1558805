"""The commands of the tournament, asked of a real server: the same words and records as in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from contests import OPEN, play_first, serving, upload, weekly, world
from running import running

from crowdalpha.cli import main
from crowdalpha.server.callers import PARTICIPANT
from crowdalpha.server.service import Service


@dataclass(frozen=True)
class Shell:
    """Commands given at a server, or in the folder of its tournament."""

    service: Service
    url: str
    token: str

    def at_server(self, *words: object, code: int = 0, **environ: str) -> str:
        env = {"CROWDALPHA_SERVER": self.url, "CROWDALPHA_TOKEN": self.token} | environ
        return self._run(words, env, code)

    def in_folder(self, *words: object) -> str:
        return self._run(words, {"CROWDALPHA_TOURNAMENT": str(self.service.settings.folder)}, 0)

    def _run(self, words: tuple[object, ...], env: dict[str, str], code: int) -> str:
        done = CliRunner().invoke(main, [str(word) for word in words], env=env, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.stdout or done.stderr


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with world(tmp_path / "cup") as (engine, settings):
        service = serving(engine, settings)
        made, secret = service.people.issue("ada", "test", sorted(PARTICIPANT), service.now())
        with running(service) as url:
            yield Shell(service, url, f"{made.public_id}.{secret}")


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The first round is over. Not to be written to."""
    with world(tmp_path_factory.mktemp("over") / "cup") as (engine, settings):
        play_first(engine)
        service = serving(engine, settings, weekly(1).resolve_time)
        made, secret = service.people.issue("ada", "test", sorted(PARTICIPANT), service.now())
        with running(service) as url:
            yield Shell(service, url, f"{made.public_id}.{secret}")


@pytest.mark.parametrize(
    "words", [("account", "show", "ada"), ("stake", "show", "ada"), ("round", "list"), ("round", "show", 1)], ids=str
)
def test_what_is_shown_is_what_the_folder_shows(over: Shell, words: tuple[object, ...]) -> None:
    assert over.at_server(*words) == over.in_folder(*words)
    told, kept = (json.loads(run(*words, "--json")) for run in (over.at_server, over.in_folder))
    assert without_others(told) == without_others(kept)


def without_others(told: Any) -> Any:
    """A document without what an account is not told of the postings of others."""
    if isinstance(told, dict) and "entries" in told:
        for entry in told["entries"]:
            entry["postings"] = [one for one in entry["postings"] if one["account"].endswith((":ada", ":ada-1"))]
    return told


def test_the_leaderboard_is_that_of_the_folder(over: Shell) -> None:
    words = ("leaderboard", "--window", "all")
    assert over.at_server(*words) == over.in_folder(*words)
    told, kept = (json.loads(run(*words, "--json")) for run in (over.at_server, over.in_folder))
    assert (told["lines"], told["rounds"]) == (kept["lines"], kept["rounds"])
    assert "needs_folder" in over.at_server("leaderboard", "--window", "3 rounds", code=3)


def test_predictions_are_handed_in_once_and_refused_in_full(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "live.csv").write_bytes(upload())
    words = ("submit", tmp_path / "live.csv", "--model", "ada_one", "--id", "first")
    first = json.loads(shell.at_server(*words, "--json"))
    assert first == json.loads(shell.at_server(*words, "--json"))
    assert (first["model"], first["round"], first["status"]) == ("ada-1", 1, "on_time")
    assert "ada_one, round 1: received 2026-01-10 13:00:00Z, on time" in shell.at_server(*words)
    (tmp_path / "bad.csv").write_bytes(upload().replace(b"i00,0.", b"i00,7.").replace(b"i01,0.", b"i01,8."))
    told = json.loads(shell.at_server("submit", tmp_path / "bad.csv", "--model", "ada-1", "--json", code=3))
    assert {problem["code"] for problem in told["problems"]} == {"invalid_submission_values"}
    assert "unknown" in shell.at_server("submit", tmp_path / "live.csv", "--model", "bob-1", code=3)


def test_two_accounts_may_use_the_same_id_and_neither_gets_what_is_the_others(shell: Shell, tmp_path: Path) -> None:
    made, secret = shell.service.people.issue("bob", "test", sorted(PARTICIPANT), shell.service.now())
    bob, answers = f"{made.public_id}.{secret}", []
    for seed, (name, token) in enumerate({"ada": shell.token, "bob": bob}.items()):
        (tmp_path / "live.csv").write_bytes(upload(seed))
        submit = ("submit", tmp_path / "live.csv", "--model", f"{name}-1", "--id", "same", "--json")
        stake = ("stake", "increase", f"{name}-1", "1", "--id", "same", "--json")
        told = [json.loads(shell.at_server(*words, CROWDALPHA_TOKEN=token)) for words in (submit, stake)]
        assert {one["model"] for one in told} == {f"{name}-1"}
        answers += [one["id"] for one in told]
    assert len(set(answers)) == 4
    theirs = answers[1]
    assert "unknown" in shell.at_server("stake", "cancel", theirs, code=3, CROWDALPHA_TOKEN=bob)
    for words in (("stake", "drain", "ada-1"), ("account", "choose", "ada-1"), ("account", "model", "ada", "x")):
        assert shell.at_server(*words, code=3, CROWDALPHA_TOKEN=bob)


def test_stakes_and_models_are_ones_own(shell: Shell) -> None:
    asked = json.loads(shell.at_server("stake", "increase", "ada-1", "12.5", "--id", "more", "--json"))
    assert (asked["amount"], asked["kind"], asked["status"]) == ("12.5", "increase", "pending")
    told = shell.at_server("stake", "increase", "ADA_ONE", "12.5", "--id", "more")
    assert asked["id"] in told
    assert "increase of ADA_ONE by 12.5" in told
    assert "increase of ada_one by 12.5 waits" in shell.at_server("account", "show")
    assert "cancelled" in shell.at_server("stake", "cancel", asked["id"])
    assert "unknown" in shell.at_server("stake", "cancel", "stake-bob", code=3)
    made = json.loads(shell.at_server("account", "model", "ada", "second", "--payout", 0, 2, "--json"))
    assert (made["name"], made["mmc_multiplier"]) == ("second", 2)
    assert "paid by default" in shell.at_server("account", "choose", "second")
    assert shell.at_server("account", "show") == shell.at_server("account", "show", "ada")
    assert "not_yours" in shell.at_server("account", "show", "bob", code=3)


@pytest.mark.parametrize(
    "words",
    [
        ("account", "list"),
        ("account", "open", "eve"),
        ("account", "deposit", "ada", "5"),
        ("account", "model", "ada", "x", "--benchmark"),
        ("stake", "drain", "ada-1", "--now", "2026-01-10"),
        ("round", "open", "1"),
    ],
    ids=str,
)
def test_what_the_operator_does_needs_the_folder(shell: Shell, words: tuple[object, ...]) -> None:
    told = json.loads(shell.at_server(*words, "--json", code=3))
    assert [problem["code"] for problem in told["problems"]] == ["needs_folder"]


def test_a_folder_that_is_named_goes_before_a_server_of_the_environment(shell: Shell) -> None:
    folder = shell.service.settings.folder
    assert "account" in shell.at_server("account", "list", "--tournament", folder)
    assert "bob" in shell.at_server("account", "show", "bob", CROWDALPHA_TOURNAMENT=str(folder))
    assert "ada" in shell.at_server("account", "list", "--tournament", folder, CROWDALPHA_SERVER="http://x")
    assert "name the account" in shell.at_server("account", "show", "--tournament", folder, code=2)


def test_a_server_on_the_command_line_is_meant_and_what_it_cannot_do_is_said(shell: Shell) -> None:
    folder = shell.service.settings.folder
    anonymous = ("--server", shell.url, "account", "show")
    assert "session_not_found" in shell.at_server(*anonymous, CROWDALPHA_TOKEN="", code=3)
    assert "not both" in shell.at_server(*anonymous, "--tournament", folder, code=2)
    assert "does not do 'tick'" in shell.at_server("--server", shell.url, "tick", code=2)
    schedule = ("round", "schedule", "--number", 9, "--days", 2, "--open", OPEN.isoformat(), "--universe", folder / "x")
    assert "needs_folder" in shell.at_server("--server", shell.url, *schedule, code=3)
