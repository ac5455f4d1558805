"""Links to download by: whoever has one may read that file for an hour, whole or from where they stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from crowdalpha.server import signing
from crowdalpha.server.callers import Caller
from crowdalpha.server.catalogue import refusal
from crowdalpha.server.datasets import Datasets
from crowdalpha.server.office import Office
from crowdalpha.server.submissions import Submissions

SEGMENT = "files"
DATASET, SUBMISSION = "datasets", "submissions"


@dataclass(frozen=True, slots=True)
class Link:
    """What a file is called, and the link to it."""

    filename: str
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """A file behind a link: on the disk, or its content."""

    filename: str
    path: Path | None = None
    content: bytes = b""


class Downloads:
    """Verbs about links to files."""

    def __init__(self, office: Office, submissions: Submissions, datasets: Datasets) -> None:
        self._office, self._submissions, self._datasets = office, submissions, datasets

    def dataset(self, who: Caller, name: str, base: str, round: int | None = None) -> Link:
        """A link below the address `base` to a file that everybody may have."""
        path = self._datasets.file(who, name, round)
        object = f"{DATASET}/{round or 0}/{name}"
        return Link(path.name, self._url(base, object, who))

    def submission(self, who: Caller, id: str, base: str) -> Link:
        """A link below the address `base` to the file of a submission of the caller's."""
        who.require("download_submission")
        sent = self._submissions.one(_reading(who), id)
        object = f"{SUBMISSION}/{quote(who.account, safe='')}/{quote(id, safe='')}/{sent.delivery.filename}"
        return Link(sent.delivery.filename, self._url(base, object, who))

    def open(self, object: str, expires: str, signature: str, who: Caller) -> Found:
        """The file behind a link; `bad_signature`, `link_expired` or `unknown`."""
        signing.check(self._office.key, "GET", object, expires, signature, who.now)
        kind, first, rest = (*object.split("/", 2), "", "")[:3]
        if kind == DATASET and first.isdigit():
            return Found(rest.rpartition("/")[2], self._datasets.file(who, rest, int(first) or None))
        id, _, name = rest.partition("/")
        if kind != SUBMISSION:
            raise refusal("unknown", what="file", id=object[:80])
        owner = Caller(unquote(first), frozenset({"download_submission", "read_submission_info"}), who.now)
        return Found(name, content=self._submissions.file(owner, unquote(id)))

    def _url(self, base: str, object: str, who: Caller) -> str:
        return signing.link(self._office.key, f"{base}/{SEGMENT}", "GET", object, who.now)


def _reading(who: Caller) -> Caller:
    """The caller, who may know the name of what they may download."""
    return Caller(who.account, who.scopes | {"read_submission_info"}, who.now)
