"""CATALOGUE: what a server says no with. One code, one text, one HTTP status, whatever face it is said by.

Texts that participants' programs look for stand here letter by letter, as the public tournaments say them [NT].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crowdalpha.payouts import PayoutError
from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.storage.intake import IntakeError
from crowdalpha.tournament.faults import Fault
from crowdalpha.tournament.ports import BusyError, TakenError


@dataclass(frozen=True, slots=True)
class Saying:
    """The HTTP status of a refusal, its kind in few words, and its text; words in braces are filled in."""

    status: int
    title: str
    text: str


CATALOGUE: Mapping[str, Saying] = {
    "session_not_found": Saying(401, "Not logged in", "Your session is invalid or has expired."),
    "bad_login": Saying(401, "Not logged in", "The e-mail address or the password is wrong."),
    "forbidden": Saying(403, "Not allowed", "Insufficient permission for {scope}"),
    "not_yours": Saying(403, "Not yours", "{what} {id} belongs to another account"),
    "csrf": Saying(403, "Not from a page of ours", "The form has expired. Load the page again."),
    "sign_up_closed": Saying(403, "No sign-up", "Accounts are opened by the operator of this tournament."),
    "bad_signature": Saying(403, "Bad link", "The link was not made by this server, or has been changed."),
    "link_expired": Saying(403, "Link expired", "The link has expired. Ask for another."),
    "unknown": Saying(404, "Not found", "{what} {id} is not known"),
    "not_found": Saying(404, "Not found", "There is nothing here."),
    "round_not_open": Saying(404, "No open round", "Current round not open for submissions"),
    "method_not_allowed": Saying(405, "Not possible", "This address does not take {method}."),
    "invalid_submission_round": Saying(409, "No open round", "Current round not open for submissions"),
    "id_taken": Saying(409, "Taken", "{what} {id} is taken"),
    "not_uploaded": Saying(409, "Nothing uploaded", "invalid_submission_file: nothing was uploaded as {filename}"),
    "no_past": Saying(409, "No past eras", "There are no past eras yet that predictions could be scored on."),
    "nowhere": Saying(409, "Nowhere to send to", "There is no webhook, and no address that is confirmed."),
    "no_address": Saying(409, "No address", "The account has no e-mail address to log in with."),
    "in_flight": Saying(409, "At work", "The same request is being worked on."),
    "changed_meanwhile": Saying(412, "Changed meanwhile", "It is no longer as you saw it. Load it again."),
    "too_large": Saying(413, "Too large", "At most {limit} bytes are taken here."),
    "bad_type": Saying(415, "Unknown type", "Send {expected}."),
    "bad_request": Saying(422, "Not understood", "{text}"),
    "bad_cursor": Saying(422, "Bad cursor", "The cursor was not made by this list."),
    "bad_code": Saying(422, "Wrong code", "The code is not the one that was mailed to the account's address."),
    "idempotency_mismatch": Saying(422, "Key in use", "The Idempotency-Key was used for something else."),
    "idempotency_missing": Saying(422, "Key missing", "Send an Idempotency-Key: 1 to 64 visible ASCII characters."),
    "several_models": Saying(422, "Which model?", "The account has {count} models: name the one that is meant."),
    "not_supported": Saying(422, "Not supported", "{what} is not supported by this server"),
    "too_many_waiting": Saying(429, "Too many waiting", "{most} uploads of yours wait already. Let one be done first."),
    "rate_limited": Saying(429, "Too many requests", "Too many requests. Try again in {seconds} s."),
    "internal": Saying(500, "A fault of ours", "Something went wrong here. It has been written down."),
    "busy": Saying(503, "Busy", "The tournament is busy. Try again in a moment."),
    "reader_stopped": Saying(503, "Busy", "Uploads cannot be read at the moment. Nothing is wrong with the file."),
}
"""Every refusal that the server itself makes."""
STATUS = {
    "unknown": 404,
    "id_taken": 409,
    "not_pending": 409,
    "overdrawn": 409,
    "nothing_staked": 409,
    "too_large": 413,
}
"""The HTTP status of problems found further down; that of all others is 422."""


class Refusal(Exception):  # noqa: N818 - it is what the caller is told, not a fault of the program
    """What a caller is told instead of an answer. `problems` lists what is wrong one by one, `more` goes beside."""

    def __init__(self, code: str, message: str, status: int, problems: tuple[Problem, ...] = (), **more: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.problems, self.more = code, message, status, problems, more

    @property
    def title(self) -> str:
        """The kind of refusal in few words."""
        return CATALOGUE[self.code].title if self.code in CATALOGUE else "Refused"


def refusal(code: str, *, more: Mapping[str, Any] | None = None, **words: object) -> Refusal:
    """The refusal of that code, with its words filled in.

    >>> refusal("forbidden", scope="upload_submission").message
    'Insufficient permission for upload_submission'
    """
    saying = CATALOGUE[code]
    return Refusal(code, saying.text.format_map(words), saying.status, **(more or {}))


def told(error: Exception) -> Refusal:
    """What a caller is told about an error. One that is not foreseen is told as a fault of ours, without a word of it.

    Submissions say the words of the rule that is broken, all else what was expected and found, and what to do.
    """
    match error:
        case Refusal():
            return error
        case InputError():
            return _of_problems(error.problems)
        case PayoutError():
            return refusal("bad_request", text=str(error))
        case TakenError():
            return refusal("id_taken", what="the id", id=str(error))
        case BusyError():
            return refusal("busy")
        case IntakeError():
            return refusal("reader_stopped")
        case _:
            return refusal("internal")


def _of_problems(problems: tuple[Problem, ...]) -> Refusal:
    code = problems[0].code
    if code == "invalid_submission_round":
        return refusal(code)
    message = "; ".join(dict.fromkeys(_words(problem) for problem in problems))
    return Refusal(code, message, STATUS.get(code, 422), problems)


def _words(problem: Problem) -> str:
    return problem.message if isinstance(problem, Fault) else str(problem)
