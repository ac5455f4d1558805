"""Client: all that a participant does, asked of a server by its REST API."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from crowdalpha.client import files, shapes
from crowdalpha.client.wire import RefusedError, Wire, new_key
from crowdalpha.scoring.problems import Problem

if TYPE_CHECKING:
    import httpx

Amount = str | int | Decimal
PAGE = 200


class Client:
    """A server at `url`, asked by whoever `token` (`id.secret`) is; without one what is public can be asked.

    Models, rounds and submissions are named by their ids. Amounts are given in coins as text, int or Decimal. What is
    refused is a RefusedError (an InputError) with a stable `code`. Lines that break are taken up again, and nothing is
    done twice: `key` is what a question is known again by, drawn anew unless it is given.

        with crowdalpha.Client("http://localhost:8000", token) as client:
            client.download("live.parquet")
            client.submit(client.models()[0].id, "predictions.csv")
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Any = time.sleep,
    ) -> None:
        self._wire, self._sleep = Wire(url, token, transport=transport, sleep=sleep), sleep

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._wire.http.close()

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._wire.url

    # the tournament

    @cached_property
    def tournament(self) -> shapes.Tournament:
        """The tournament that the server plays."""
        return self._all(shapes.Tournament, "/tournaments")[0]

    def rounds(self, status: str | None = None) -> list[shapes.RoundDetails]:
        """All rounds with their sums, newest first; those at one stage if it is named."""
        return self._all(shapes.RoundDetails, f"{self._home}/rounds", status=status, details=True)

    def round(self, number: int) -> shapes.RoundDetails:
        """A round with its sums."""
        return self._get(shapes.RoundDetails, f"{self._home}/rounds/{number}")

    def current_round(self) -> shapes.Round:
        """The round that takes submissions; `round_not_open` while there is none."""
        return self._get(shapes.Round, f"{self._home}/rounds/current")

    def universe(self, round: int) -> list[str]:
        """The ids of a round, from its opening on."""
        ids: list[str] = self._wire.ask("GET", f"{self._home}/rounds/{round}/universe").json()["ids"]
        return ids

    def datasets(self, round: int | None = None) -> list[str]:
        """The names of the files to work with; with a round, that round's."""
        return self._all(str, f"{self._home}/datasets", round=round)

    def dataset(self, name: str, round: int | None = None) -> shapes.Dataset:
        """Where a file is, how large, and its SHA-256."""
        return self._get(shapes.Dataset, f"{self._home}/datasets/{_path(name)}", round=round, redirect=False)

    def download(self, name: str, to: str | Path | None = None, round: int | None = None) -> Path:
        """Fetch a file to a path, its own name unless one is given, and check its SHA-256.

        What an earlier try left is completed; what is there already and the same is not fetched.
        """
        return files.download(self._wire, self.dataset(name, round), Path(to or name))

    def leaderboard(
        self, metric: str = "mmc2", *, by: Literal["model", "account"] = "model", method: str = "mean", days: int = 365
    ) -> shapes.Leaderboard:
        """Models, or accounts, ranked over the rounds resolved in so many days, 0 for all."""
        sent = {"metric": metric, "by": by, "method": method, "days": days}
        pages = list(self._pages(f"{self._home}/leaderboard", **sent))
        lines = [line for page in pages for line in page["lines"]]
        found: shapes.Leaderboard = shapes.read(shapes.Leaderboard, pages[0] | {"lines": lines})
        return found

    # the account

    def account(self) -> shapes.Account:
        """The account whose token this is."""
        return self._get(shapes.Account, "/account")

    def tokens(self) -> list[shapes.Token]:
        """Its tokens, newest first."""
        return self._all(shapes.Token, "/account/tokens")

    def make_token(
        self, name: str, scopes: Sequence[str], expires_at: datetime | None = None, *, key: str | None = None
    ) -> shapes.MadeToken:
        """A new token, which may no more than the one that asks; its secret is shown this once."""
        until = expires_at.isoformat() if expires_at else None
        asked = {"name": name, "scopes": list(scopes), "expires_at": until}
        return self._post(shapes.MadeToken, "/account/tokens", key, json=asked)

    def revoke_token(self, public_id: str) -> shapes.Token:
        """End a token at once."""
        return self._ask(shapes.Token, "DELETE", f"/account/tokens/{_path(public_id)}")

    def transactions(self) -> list[shapes.Transaction]:
        """Every entry of the ledger that touched the account, newest first."""
        return self._all(shapes.Transaction, "/account/transactions")

    def payouts(self) -> list[shapes.Payout]:
        """What resolved rounds paid its models, newest first."""
        return self._all(shapes.Payout, "/account/payouts")

    # models

    def models(self) -> list[shapes.Model]:
        """The models of the account."""
        return self._all(shapes.Model, "/models")

    def model(self, id: str) -> shapes.Model:
        """A model as everybody sees it."""
        return self._get(shapes.Model, f"/models/{_path(id)}")

    def model_named(self, name: str) -> shapes.Model:
        """A model by its name."""
        return self._get(shapes.Model, f"/profiles/models/{self.tournament.number}/{_path(name)}")

    def models_of(self, account: str) -> list[shapes.Model]:
        """The models of an account, by its name."""
        return self._all(shapes.Model, f"/profiles/accounts/{_path(account)}")

    def make_model(self, name: str, *, key: str | None = None) -> shapes.Model:
        """A new model."""
        return self._post(shapes.Model, "/models", key, json={"name": name})

    def change_model(self, id: str, **changes: Any) -> shapes.Model:
        """Change its `name`, `bio`, `link_text`, `link_url`, `webhook` or whether it is `archived`."""
        return self._ask(shapes.Model, "PATCH", f"/models/{_path(id)}", json=changes)

    def choose(self, model: str, corr: float | None = None, mmc: float | None = None) -> shapes.Model:
        """Choose what a model is paid by, from the next close on; without multipliers the rule's default."""
        asked = {"corr_multiplier": corr, "mmc_multiplier": mmc}
        return self._ask(shapes.Model, "PUT", f"/models/{_path(model)}/stake/settings", json=asked)

    # predictions

    def submit(
        self, model: str, predictions: Any, *, filename: str = "", trigger_id: str = "", key: str | None = None
    ) -> shapes.Submission:
        """Hand in predictions for the round that is open: a path, the bytes of a file, or a data frame."""
        name, content = files.content_of(predictions)
        sent = {"filename": (filename or name)[-100:], "trigger_id": trigger_id}
        return self._post(shapes.Submission, f"/models/{_path(model)}/submissions", key, params=sent, content=content)

    def validate(self, predictions: Any) -> shapes.Verdict:
        """What would become of predictions in the round that is open; nothing is kept."""
        content = files.content_of(predictions)[1]
        return self._post(shapes.Verdict, "/submissions/validate", None, content=content)

    def submissions(self, model: str) -> list[shapes.Submission]:
        """What was sent for a model, newest first."""
        return self._all(shapes.Submission, f"/models/{_path(model)}/submissions")

    def submission(self, id: str) -> shapes.Submission:
        """A submission by its id."""
        return self._get(shapes.Submission, f"/submissions/{_path(id)}")

    def submission_file(self, id: str) -> bytes:
        """The file of a submission, as it came."""
        return bytes(self._wire.ask("GET", f"/submissions/{_path(id)}/file").content)

    def diagnose(self, model: str, predictions: Any, *, key: str | None = None) -> shapes.Diagnostic:
        """Hand in predictions of past eras; `diagnosis` says what they were worth, once that is known."""
        name, content = files.content_of(predictions)
        asked = {"filename": name, "model": model, "purpose": "diagnostics"}
        slot: shapes.Slot = self._post(shapes.Slot, "/uploads", None, json=asked)
        self._wire.send("PUT", slot.url, again=True, content=content)
        ref = {"upload_id": slot.upload_id}
        return self._post(shapes.Diagnostic, f"/models/{_path(model)}/diagnostics", key, json=ref)

    def diagnostics(self, model: str) -> list[shapes.Diagnostic]:
        """What was handed in for a model, newest first."""
        return self._all(shapes.Diagnostic, f"/models/{_path(model)}/diagnostics")

    def diagnosis(self, id: str, *, patience: float = 0) -> shapes.Diagnosis:
        """What was found in predictions of past eras; asked again for so many seconds while it is worked on."""
        path, until = f"/diagnostics/{_path(id)}", time.monotonic() + patience
        found = self._get(shapes.Diagnosis, path)
        while found.status in ("pending", "running") and time.monotonic() < until:
            self._sleep(1.0)
            found = self._get(shapes.Diagnosis, path)
        return found

    def delete_diagnostic(self, id: str) -> shapes.Diagnostic:
        """Forget predictions of past eras and what was found in them."""
        return self._ask(shapes.Diagnostic, "DELETE", f"/diagnostics/{_path(id)}")

    # what came of them

    def scores(
        self,
        model: str,
        *,
        metric: str | None = None,
        round_gte: int | None = None,
        round_lte: int | None = None,
        resolved: bool | None = None,
        latest: bool = False,
    ) -> list[shapes.Score]:
        """The scores of a model, newest first; `latest` leaves a round's earlier days out."""
        asked = {"metric": metric, "round_gte": round_gte, "round_lte": round_lte}
        return self._all(shapes.Score, f"/models/{_path(model)}/scores", **asked, resolved=resolved, latest=latest)

    def performances(self, model: str) -> list[shapes.Performance]:
        """How a model did in each round: scores, what it had at risk, what it was paid; newest first."""
        return self._all(shapes.Performance, f"/models/{_path(model)}/performances")

    # stakes

    def stake(self, model: str) -> shapes.Stake:
        """The stake of a model, and its changes."""
        return self._get(shapes.Stake, f"/models/{_path(model)}/stake")

    def stake_increase(self, model: str, amount: Amount, *, key: str | None = None) -> shapes.Change:
        """Stake so many coins more, from the next close on."""
        return self._change(model, {"type": "increase", "amount": str(amount)}, key)

    def stake_decrease(self, model: str, amount: Amount, *, key: str | None = None) -> shapes.Change:
        """Ask for so many coins back; more than is staked is all of it."""
        return self._change(model, {"type": "decrease", "amount": str(amount)}, key)

    def stake_drain(self, model: str, *, key: str | None = None) -> shapes.Change:
        """Ask for all of a stake back."""
        return self._change(model, {"type": "drain"}, key)

    def stake_set(self, model: str, amount: Amount, version: str | None = None) -> shapes.Stake:
        """Ask for what makes the stake that amount; with a version only if it is still that (`changed_meanwhile`)."""
        headers = {"If-Match": f'"{version}"'} if version else {}
        path = f"/models/{_path(model)}/stake"
        return self._ask(shapes.Stake, "PUT", path, json={"amount": str(amount)}, headers=headers)

    def stake_cancel(self, model: str, change: str) -> shapes.Change:
        """Take back a change that is pending."""
        return self._ask(shapes.Change, "DELETE", f"/models/{_path(model)}/stake/changes/{_path(change)}")

    # how it asks

    @property
    def _home(self) -> str:
        return f"/tournaments/{self.tournament.number}"

    def _change(self, model: str, asked: dict[str, str], key: str | None) -> shapes.Change:
        found: shapes.Change = self._post(shapes.Change, f"/models/{_path(model)}/stake/changes", key, json=asked)
        return found

    def _get(self, kind: Any, path: str, **params: Any) -> Any:
        return self._ask(kind, "GET", path, params=params)

    def _post(self, kind: Any, path: str, key: str | None, **sent: Any) -> Any:
        return self._ask(kind, "POST", path, key=key or new_key(), **sent)

    def _all(self, kind: Any, path: str, **params: Any) -> list[Any]:
        return [shapes.read(kind, item) for page in self._pages(path, **params) for item in page["items"]]

    def _pages(self, path: str, **params: Any) -> Any:
        """A list part by part."""
        cursor = None
        while True:
            page = self._wire.ask("GET", path, params={**params, "limit": PAGE, "cursor": cursor}).json()
            yield page
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _ask(self, kind: Any, verb: str, path: str, **sent: Any) -> Any:
        answer = self._wire.ask(verb, path, **sent)
        try:
            return shapes.read(kind, answer.json())
        except (ValueError, TypeError, AttributeError) as error:
            fix = "ask a server of the same version, or check its address"
            problem = Problem("not_a_server", f"an answer with {kind.__name__}", str(error), fix, self.url)
            raise RefusedError("not_a_server", answer.status_code, problem) from None


def _path(name: str) -> str:
    """A name as a part of an address."""
    from urllib.parse import quote

    return quote(name)
