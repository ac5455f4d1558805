"""A small tournament played by its commands: three models, one round, one submission too late."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from crowdalpha.cli import main

IDS = [f"i{k:02d}" for k in range(30)]
MODELS = ("ada", "bob", "cy")
BEFORE, OPENS, BETWEEN, CLOSES = "2026-01-01", "2026-01-03T18:00Z", "2026-01-04T12:00+01:00", "2026-01-05T18:00Z"
FIRST_DAY, RESOLVES, AFTER = "2026-01-06T18:00Z", "2026-01-08T18:00Z", "2026-02-01"
ROUND = ("--open", OPENS, "--days", 2, "--scoring-days", 2, "--n-bags", 2, "--final-bags", 3)


@dataclass(frozen=True)
class Cup:
    """A tournament in the folder `cup` of a folder in which its tables lie, and its commands as a user gives them."""

    home: Path

    @property
    def folder(self):
        return self.home / "cup"

    def __getitem__(self, name):
        return str(self.home / name)

    def run(self, *arguments, code=0):
        """What a command prints: on standard error if it is to end with another code than 0 or 1."""
        env = {"CROWDALPHA_TOURNAMENT": str(self.folder)}
        done = CliRunner().invoke(main, [str(each) for each in arguments], env=env, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.stderr if code > 1 else done.stdout

    def read(self, *arguments, code=0):
        """What a command prints with --json, to the letter."""
        env = {"CROWDALPHA_TOURNAMENT": str(self.folder)}
        arguments = [str(each) for each in (*arguments, "--json")]
        done = CliRunner().invoke(main, arguments, env=env, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def codes(self, *arguments):
        """The codes with which a command is refused, the same in words as in JSON."""
        found = [problem["code"] for problem in self.read(*arguments, code=3)["problems"]]
        said = self.run(*arguments, code=3)
        assert all(code in said for code in found)
        return found


def prepare(home):
    """A tournament with three accounts, their models and stakes, and a round that is not open yet."""
    cup = Cup(home)
    _write_tables(home)
    cup.run("init", cup.folder, "--name", "The cup")
    cup.run("account", "deposit", "treasury", "1000", "--id", "treasury", "--now", BEFORE)
    for name in MODELS:
        cup.run("account", "open", name, "--name", name.title(), "--now", BEFORE)
        cup.run("account", "model", name, name, "--now", BEFORE)
        cup.run("account", "deposit", name, "100", "--id", f"deposit-{name}", "--now", BEFORE)
        cup.run("stake", "increase", name, "12.5", "--id", f"stake-{name}", "--now", BEFORE)
    cup.run("round", "schedule", "--number", 1, *ROUND, "--universe", cup["ids.csv"], "--now", BEFORE)
    return cup


def play(cup):
    """The round played to its end: ada and bob on time, cy too late."""
    for name in MODELS[:2]:
        cup.run("submit", cup[f"{name}.csv"], "--model", name, "--id", f"1-{name}", "--now", BETWEEN)
    cup.run("tick", "--now", CLOSES)
    cup.run("submit", cup["cy.csv"], "--model", "cy", "--id", "1-cy", "--now", CLOSES)
    for day in ((), ("--day", 1), ("--day", 2)):
        cup.run("round", "target", 1, cup["target.csv"], *day)
    cup.run("tick", "--now", RESOLVES)


def _write_tables(home):
    rng = np.random.default_rng(7)
    outcomes = rng.integers(0, 5, len(IDS)) / 4
    _table(home / "ids.csv", "id", IDS)
    _table(home / "target.csv", "id,target", [f"{id},{value}" for id, value in zip(IDS, outcomes, strict=True)])
    for skill, name in zip((0.6, 0.3, 0.1), MODELS, strict=True):
        values = 0.1 + skill * outcomes + 0.2 * rng.random(len(IDS))
        _table(home / f"{name}.csv", "id,prediction", [f"{id},{v:.6f}" for id, v in zip(IDS, values, strict=True)])
    features = [f"{id},{a:.6f},{b:.6f}" for id, (a, b) in zip(IDS, rng.random((len(IDS), 2)), strict=True)]
    _table(home / "features.csv", "id,size,value", features[::-1])
    bad = [f"{id},{0.01 * k if k else 7}" for k, id in enumerate(IDS[:-1])]
    _table(home / "bad.csv", "id,prediction", [*bad[:4], "i04,much", *bad[5:]])


def _table(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n")
