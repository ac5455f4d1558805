"""The pages of a tournament, looked at as browsers do, and what must hold for every one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from fastapi.testclient import TestClient
from pages import Node, read

from crowdalpha.server.app import create_app
from crowdalpha.server.pages.visitors import COOKIE
from crowdalpha.server.service import Service

PUBLIC = (
    "/",
    "/?window=all&by=account",
    "/?metric=corr",
    "/leaderboard.csv?window=all",
    "/rounds",
    "/rounds/1",
    "/rounds/2",
    "/rounds/2/models.csv",
    "/models/ada-1",
    "/models/bob-1",
    "/models/bob-1/history.csv",
    "/rules",
    "/lab",
    "/lab/verdicts",
    "/lab/copy",
    "/lab/copy/figures.csv",
    "/verify",
    "/submit",
)
FEATURES = {"steep": [k / 40 for k in range(40)], "odd": [k % 2.0 for k in range(40)]}
HEADINGS = ("h1", "h2", "h3", "h4")
NAMED = ("aria-labelledby", "aria-describedby", "aria-controls", "for")


@dataclass
class Site:
    """A browser at a server: without a session, or signed in as somebody."""

    service: Service
    client: TestClient
    sealed: dict[str, str] = field(default_factory=dict)
    """What the public pages said when the second round had closed and nothing of it was scored."""

    def page(self, address: str, status: int = 200) -> Node:
        answer = self.client.get(address)
        assert answer.status_code == status, (address, answer.status_code)
        return read(answer.text)

    def text(self, address: str) -> str:
        answer = self.client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return answer.text

    def send(self, address: str, **fields: str) -> tuple[int, Node]:
        """Fill in a form as the browser does: with what it hides in the page."""
        answer = self.client.post(address, data={"csrf": self.csrf} | fields)
        return answer.status_code, read(answer.text)

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get("/rules").text)
        return found[1] if found else ""

    def signed_in(self, account: str) -> Site:
        """The same server, seen by somebody who is signed in."""
        cookie, _ = self.service.people.begin(account, self.service.now())
        other = TestClient(self.client.app, headers={"cookie": f"{COOKIE}={cookie}", "accept": "text/html"})
        return Site(self.service, other)


def site(service: Service) -> Site:
    return Site(service, TestClient(create_app(service), headers={"accept": "text/html"}))


def public(site: Site) -> dict[str, str]:
    """Every public page, without the hash that the log ends in: that depends on everything, and tells nothing."""
    head = site.client.get("/verify/head.json").json()["hash"]
    return {address: site.text(address).replace(head, "HEAD") for address in PUBLIC}


def faults(page: Node) -> list[str]:
    """What is wrong with a page, for those who cannot see it and for browsers that trust nothing."""
    return [*_of_structure(page), *_of_names(page), *_of_policy(page)]


def _of_structure(page: Node) -> list[str]:
    nodes = page.all_nodes()
    levels = [HEADINGS.index(node.tag) for node in nodes if node.tag in HEADINGS]
    html = page.all("html")[0]
    wrong = []
    wrong += ["no language"] * (html.attributes.get("lang") != "en")
    wrong += ["no title"] * (not page.all("title")[0].text.strip())
    wrong += [f"{len(page.all(tag))} {tag}" for tag in ("main", "h1", "footer") if len(page.all(tag)) != 1]
    wrong += ["does not begin with h1"] * (levels[:1] != [0])
    wrong += ["skips a heading"] * any(b > a + 1 for a, b in pairwise(levels))
    wrong += ["a heading says nothing"] * any(node.tag in HEADINGS and not node.text.strip() for node in nodes)
    wrong += ["a nav without a name"] * any("aria-label" not in node.attributes for node in page.all("nav"))
    wrong += ["no way past the menu"] * (page.all("a")[0].attributes["href"] != "#main")
    return wrong


def _of_names(page: Node) -> list[str]:
    nodes = page.all_nodes()
    ids = [node.attributes["id"] for node in nodes if "id" in node.attributes]
    wrong = [f"id {id} twice" for id in set(ids) if ids.count(id) > 1]
    used = [word for node in nodes for name in NAMED for word in node.attributes.get(name, "").split()]
    wrong += [f"nothing is called {word}" for word in used if word not in ids]
    said = {node.attributes["id"]: node.text.strip() for node in nodes if "id" in node.attributes}
    landmarks = [_called(node, said) for node in nodes if _is_landmark(node)]
    wrong += [f"two parts are called {name}" for name in set(landmarks) if landmarks.count(name) > 1]
    labelled = {node.attributes.get("for") for node in page.all("label")}
    inside = {id(entry) for label in page.all("label") for entry in label.all("input")}
    for entry in [
        n for n in nodes if n.tag in ("input", "select", "textarea") and n.attributes.get("type") != "hidden"
    ]:
        if entry.attributes.get("id") not in labelled and id(entry) not in inside:
            wrong.append(f"a field without a label: {entry.attributes}")
    wrong += ["a button says nothing"] * any(not node.text.strip() for node in page.all("button"))
    wrong += ["a link says nothing"] * any(not node.text.strip() for node in page.all("a"))
    wrong += ["a column without a head"] * any(
        "scope" not in node.attributes for node in page.all("th") if not _role(node)
    )
    wrong += ["a picture without words"] * any(
        not node.all("desc") and node.attributes.get("aria-hidden") != "true"
        for node in page.all("svg")
        if not _inner(node)
    )
    return wrong


def _of_policy(page: Node) -> list[str]:
    nodes = page.all_nodes()
    wrong = ["a style in the page"] * bool(page.all("style"))
    wrong += ["a script in the page"] * any("src" not in node.attributes or node.text for node in page.all("script"))
    for node in nodes:
        wrong += [f"{name} in {node.tag}" for name in node.attributes if name == "style" or re.match("on[a-z]", name)]
        address = node.attributes.get("src") or (node.attributes.get("href", "") if node.tag == "link" else "")
        wrong += [f"loads {address}"] * (bool(address) and not address.startswith("/static/"))
        wrong += ["a link that runs"] * node.attributes.get("href", "").startswith(("javascript:", "data:"))
    for sent in page.all("form"):
        names = {entry.attributes.get("name") for entry in sent.all("input")}
        inside = sent.attributes.get("action") not in ("/", "/sign-in", "/sign-up")
        wrong += ["a form without csrf"] * (sent.attributes.get("method") == "post" and inside and "csrf" not in names)
    return wrong


def _is_landmark(node: Node) -> bool:
    return node.tag in ("section", "nav") or node.attributes.get("role") in ("region", "search")


def _called(node: Node, said: dict[str, str]) -> str:
    """The name of a part of the page, as it is read out."""
    return node.attributes.get("aria-label") or said.get(node.attributes.get("aria-labelledby", ""), "")


def _role(node: Node) -> bool:
    return node.attributes.get("role") == "columnheader"


def _inner(node: Node) -> bool:
    """An arrow inside a drawing, which is no picture of its own."""
    return "overflow" in node.attributes


def links(page: Node) -> set[str]:
    """Where a page leads to on the same site."""
    found = [node.attributes.get("href", "") for node in page.all("a")]
    return {address.partition("#")[0] for address in found if address.startswith("/")}
