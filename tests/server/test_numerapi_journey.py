"""The unmodified numerapi plays a round against a real server: from its keys to its payout."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numerapi
import numpy as np
import pandas as pd
import pytest
from contests import COIN, IDS, Clock
from running import running

from crowdalpha.server.callers import PARTICIPANT
from crowdalpha.server.service import Service
from crowdalpha.settings import initialise, open_engine
from crowdalpha.tournament.rounds import Round, daily

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TRUTH = dict(zip(IDS, (np.random.default_rng(7).integers(0, 5, len(IDS)) / 4).tolist(), strict=True))

PAID = [{"displayName": name, "isPayout": True} for name in ("corr", "mmc2")]
CHOSEN = [{"multiplier": 1.0}, {"multiplier": 0.0}]
"""What older versions do not ask for."""
CREATE = "mutation($filename: String!, $modelId: String){createDiagnostics(filename: $filename, modelId: $modelId){id}}"


class Game:
    """A server with one round that is open now, and clients of it."""

    def __init__(self, service: Service, clock: Clock, folder: Path) -> None:
        self.service, self.clock, self.folder = service, clock, folder
        self.round = service.rounds.one(self.anybody(), 1).round

    def anybody(self) -> Any:
        from crowdalpha.server.callers import anybody

        return anybody(self.clock.now)

    def player(self, name: str, kind: type[Any] = numerapi.NumerAPI) -> tuple[Any, str]:
        """A client of a new account with a model called NAME_model and 1000 coins; and the id of the model."""
        account = self.service.people.create(f"{name}@example.org", "a very long word", name, self.clock.now)
        token, secret = self.service.people.issue(account.id, "numerapi", sorted(PARTICIPANT), self.clock.now)
        self.service.engine.deposit(name, 1000 * COIN, self.clock.now, into=f"wallet:{account.id}")
        who = self.service.people.by_token(f"Token {token.public_id}${secret}", self.clock.now)
        self.service.models.add(who, f"{name}_model")
        api = kind(token.public_id, secret, verbosity="CRITICAL", show_progress_bars=False)
        return api, api.get_models()[f"{name}_model"]

    def at(self, moment: datetime) -> None:
        """Move the clock, and do what is due."""
        self.clock.now = moment
        self.service.engine.tick(moment)


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Game]:
    now = datetime.now(UTC).replace(microsecond=0)
    settings = initialise(tmp_path / "cup", name="cup", environ={})
    with open_engine(settings) as engine:
        engine.deposit("treasury", 10**6 * COIN, now - DAY, into="treasury")
        for n in (1, 2):
            opens = now - HOUR + (n - 1) * 7 * DAY
            closes = opens + 2 * DAY
            engine.schedule(
                Round(
                    number=n, open_time=opens, close_time=closes, scoring_times=daily(closes, 3),
                    resolve_time=closes + 4 * DAY, rule="corr-or-twice-mmc", commitment="0" * 64,
                    n_bags=3, final_bags=5,
                ),
                IDS, now - DAY, features={"size": [k / len(IDS) for k in range(len(IDS))]},
            )  # fmt: skip
        clock = Clock(now)
        engine.tick(now)
        service = Service(engine, settings, clock)
        with running(service) as url:
            monkeypatch.setattr(numerapi.base_api, "API_TOURNAMENT_URL", url)
            monkeypatch.chdir(tmp_path)
            yield Game(service, clock, tmp_path)


def predictions(ids: list[str], noise: float, seed: int) -> pd.DataFrame:
    """What somebody sends who knows the truth more or less."""
    drawn = np.random.default_rng(seed).random(len(ids))
    values = [(1 - noise) * TRUTH[id] + noise * drawn[k] for k, id in enumerate(ids)]
    return pd.DataFrame({"id": ids, "prediction": np.clip(values, 0.001, 0.999)})


def staked(api: Any, name: str) -> Decimal:
    """What older versions say in words."""
    return Decimal(api.stake_get(name))


def test_the_unmodified_client_plays_a_round_from_its_keys_to_its_payout(game: Game) -> None:
    ada, model = game.player("ada")
    bob, other = game.player("bob")
    assert os.environ.get("CLIENT", version("numerapi")) == version("numerapi")

    # keys, models, the round that is open
    account = ada.get_account()
    assert (account["username"], account["availableNmr"]) == ("ada", Decimal(1000))
    assert account["insertedAt"].tzinfo is not None
    assert [token["public_id"] for token in account["apiTokens"]] == [ada.token[0]]
    assert ada.get_models() == {"ada_model": model} == ada.models_of_account("ada")
    assert ada.modelid_to_modelname(model) == "ada_model"
    assert (ada.get_current_round(), ada.check_round_open(), ada.check_new_round()) == (1, True, True)
    if hasattr(ada, "list_rounds"):
        [shown] = ada.list_rounds(status="open")
        assert (shown["number"], shown["closeTime"]) == (1, game.round.close_time)
        configs = shown.get("roundScoreConfigs", PAID)
        assert [one["displayName"] for one in configs if one["isPayout"]] == ["corr", "mmc2"]

    # its ids and features
    assert ada.list_datasets() == ["live.parquet", "live_1.parquet"]
    live = pd.read_parquet(ada.download_dataset("live.parquet"))
    assert live.columns.tolist() == ["id", "size"]
    ids = live["id"].tolist()
    assert ids == sorted(IDS)

    # a bad file is explained, a good one is taken, and comes back as it was sent
    with pytest.raises(ValueError, match="invalid_submission_ids: Not enough stocks submitted"):
        ada.upload_predictions(df=predictions(ids[1:], 0.3, 1), model_id=model)
    sent = predictions(ids, 0.3, 1)
    first = ada.upload_predictions(df=sent, model_id=model)
    assert [one["id"] for one in ada.submission_ids(model)] == [first]
    assert ada.get_submission_filenames(model_id=model)[0]["round_num"] == 1
    pd.testing.assert_frame_equal(pd.read_csv(ada.download_submission(model_id=model)), sent)
    sent.to_parquet("mine.parquet", index=False)
    assert ada.upload_predictions("mine.parquet", model_id=model) != first
    bob.upload_predictions(df=predictions(ids, 0.9, 2), model_id=other)
    with pytest.raises(ValueError, match="belongs to another account"):
        bob.upload_predictions(df=sent, model_id=model)

    # stakes, effective when the round closes
    asked = ada.stake_increase(100, model)
    assert (asked["status"], asked["requestedAmount"]) == ("pending", Decimal(100))
    assert asked["dueDate"] == game.round.close_time
    bob.stake_increase("12.5", other)
    assert staked(ada, "ada_model") == 0
    game.at(game.round.close_time)
    assert (staked(ada, "ada_model"), staked(bob, "bob_model")) == (Decimal(100), Decimal("12.5"))
    assert ada.get_account()["availableNmr"] == Decimal(900)
    assert ada.check_round_open() is False
    with pytest.raises(ValueError, match="Current round not open for submissions"):
        ada.get_current_round()

    # a day is scored
    for day in (None, 1, 2, 3):
        game.service.engine.set_target(1, day, TRUTH)
    game.at(game.round.scoring_times[0])
    if hasattr(ada, "submission_scores"):
        scores = {one["displayName"]: one for one in ada.submission_scores(model)}
        assert scores.keys() == {"corr", "mmc2"}
        assert scores["corr"]["value"] > 0.5
        assert (scores["corr"]["day"], scores["corr"]["resolved"]) == (1, False)
        assert [one["modelName"] for one in ada.pending_model_payouts()["pending"]] == ["ada_model"]

    # the round resolves and pays
    game.at(game.round.resolve_time)
    with warnings.catch_warnings(action="ignore"):
        [done] = ada.round_model_performances_v2(model)
    assert (done["atRisk"], done["roundResolved"]) == (Decimal(100), True)
    [settled] = [one["payoutSettled"] for one in done["submissionScores"] if one["payoutSettled"]]
    [corr] = {one["value"] for one in done["submissionScores"] if (one["displayName"], one["day"]) == ("corr", 4)}
    assert settled > 0
    assert staked(ada, "ada_model") == Decimal(100) + settled
    assert [one["multiplier"] for one in done.get("payoutMultipliers", CHOSEN)] == [1.0, 0.0]
    if hasattr(ada, "submission_scores"):
        [final] = ada.submission_scores(model, display_name="corr", distinct_on_round=True)
        assert (final["resolved"], final["roundNumber"], final["value"]) == (True, 1, corr)
        [paid] = ada.pending_model_payouts()["actual"]
        assert paid["payoutNmr"] == settled
    [days] = ada.intra_round_scores(model)
    assert len(days["intraRoundSubmissionScores"]) == 8
    board = ada.get_leaderboard(limit=10)
    assert [one["rank"] for one in board] == [1, 2]  # who is first is up to the bags, drawn by a secret
    shown_stakes = {one["username"]: one["nmrStaked"] for one in board}
    assert shown_stakes == {"ada_model": staked(ada, "ada_model"), "bob_model": staked(bob, "bob_model")}
    assert {one["username"] for one in ada.get_account_leaderboard()} == {"ada", "bob"}
    profile = ada.public_user_profile("ada_model")
    assert (profile["id"], Decimal(profile["nmrStaked"])) == (model, shown_stakes["ada_model"])
    [stood] = ada.daily_model_performances("ada_model")
    assert (stood["corrRank"], stood["corrRep"]) == (1, corr)
    assert [one["number"] for one in ada.get_competitions() if one["resolvedGeneral"]] == [1]
    status = ada.pipeline_status(game.round.resolve_time.date().isoformat())
    assert status["resolvedAt"] == game.round.resolve_time

    # the round is one of the past now, to try predictions on
    with pytest.raises(ValueError, match="invalid_submission_file: nothing was uploaded as never"):
        ada.raw_query(CREATE, {"filename": "never.csv", "modelId": model}, authorization=True)
    tried = ada.upload_diagnostics(df=sent, model_id=model)
    assert ada.diagnostics(model, tried)[0]["status"] == "pending"
    refused = ada.upload_diagnostics(df=sent[1:], model_id=model)
    game.service.diagnostics.work()
    [looked] = ada.diagnostics(model, tried)
    assert (looked["status"], looked["erasAcceptedCount"]) == ("done", 1)
    assert looked["validationCorrMean"] == corr
    assert [(era["era"], era["validationCorr"]) for era in looked["perEraDiagnostics"]] == [("1", corr)]
    assert None not in (looked["validationMmcMean"], looked["validationFeatureNeutralCorrMean"])
    [told] = ada.diagnostics(model, refused)
    assert (told["status"], told["message"]) == (
        "error",
        "invalid_submission_eras: Incomplete eras uploaded: ['1']",
    )
    assert len(ada.diagnostics(model)) == 2

    # and the money is taken back, at once while no round is running
    held = staked(ada, "ada_model")
    assert ada.stake_set(50, model)["requestedAmount"] == held - 50
    assert staked(ada, "ada_model") == Decimal(50)
    assert ada.stake_drain(model)["drain"] is True
    assert ada.get_account()["availableNmr"] == 900 + held
    moves = ada.wallet_transactions()
    assert [(one["type"], one["amount"]) for one in moves][-2:] == [("reserve", 100), ("deposit", 1000)]
    assert len({one["txHash"] for one in moves}) == len(moves)

    # what is said about a model
    assert ada.set_bio(model, "I try.") is True
    assert ada.set_link(model, "my page", "https://example.org") is True
    assert ada.set_submission_webhook(model, "https://example.org/hook") is True
    assert ada.public_user_profile("ada_model")["bio"] == "I try."
    assert (ada.model_upload_data_versions(), ada.model_upload_docker_images()) == ({}, {})
    with pytest.raises(ValueError, match="computePickleUploadAuth is not supported by this server"):
        ada.model_upload("mine.parquet", model_id=model)


@pytest.mark.slow
@pytest.mark.parametrize("release", ["2.20.8", "2.23.1", "2.24.0"])
def test_older_clients_play_the_same_round(release: str, tmp_path: Path) -> None:
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), f"numerapi=={release}"]
    subprocess.run([sys.executable, *install], check=True)
    again = ["-m", "pytest", "-n0", "-k", "plays_a_round or cut_off or wrong_keys", __file__]
    done = subprocess.run(
        [sys.executable, *again], env=os.environ | {"PYTHONPATH": str(tmp_path), "CLIENT": release},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_download_that_was_cut_off_is_taken_up_where_it_ended(game: Game) -> None:
    ada, model = game.player("ada")
    sent = predictions(IDS, 0.5, 1)
    ada.upload_predictions(df=sent, model_id=model)
    whole = sent.to_csv(index=False).encode()
    for name, content, fetch in (
        ("mine.csv", whole, lambda: ada.download_submission(model_id=model, dest_path="mine.csv")),
        ("live.parquet", None, lambda: ada.download_dataset("live.parquet")),
    ):
        content = content or Path(fetch()).read_bytes()
        Path(name).unlink(missing_ok=True)
        Path(f"{name}.temp").write_bytes(content[:100])
        with warnings.catch_warnings(action="ignore"):
            assert Path(fetch()).read_bytes() == content


def test_a_download_can_be_filtered_on_the_way(game: Game) -> None:
    ada, _ = game.player("ada")
    ada.download_dataset("live.parquet", "some.parquet", filters=[("size", ">", 0.9)])
    assert pd.read_parquet("some.parquet")["size"].min() > 0.9


def test_wrong_keys_and_no_keys_end_in_the_words_that_the_client_looks_for(game: Game) -> None:
    wrong = numerapi.NumerAPI("public", "secret", verbosity="CRITICAL")
    with pytest.raises(ValueError, match=r"^Your session is invalid or has expired\.$"):
        wrong.get_account()
    signals = numerapi.SignalsAPI(verbosity="CRITICAL")
    with pytest.raises(ValueError, match="tournament 11 is not known"):
        signals.get_current_round()
