"""Reading pages back: what a reader without scripts sees."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from html.parser import HTMLParser

from crowdalpha.diagnostics.svg import NAMESPACE, Svg, standalone

VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, tag: str) -> list[Node]:
        inner = [child for child in self.children if isinstance(child, Node)]
        return [found for child in inner for found in ([child] if child.tag == tag else []) + child.all(tag)]

    def only(self, **attributes: str) -> Node:
        (found,) = [
            node for node in self.all_nodes() if all(node.attributes.get(k) == v for k, v in attributes.items())
        ]
        return found

    def all_nodes(self) -> list[Node]:
        inner = [child for child in self.children if isinstance(child, Node)]
        return [found for child in inner for found in (child, *child.all_nodes())]


class Reader(HTMLParser):
    """Builds the tree and insists that every element is closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"{tag} closes {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: str) -> Node:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == [reader.root], "an element is left open"
    return reader.root


def drawn(drawing: Svg) -> ET.Element:
    """The drawing as strict XML, its namespace taken off."""
    root = ET.fromstring(standalone(drawing))
    for node in root.iter():
        node.tag = node.tag.removeprefix(f"{{{NAMESPACE}}}")
    return root


def with_class(root: ET.Element, *names: str) -> list[ET.Element]:
    return [node for node in root.iter() if set(names) <= set(node.get("class", "").split())]


def numbers(node: ET.Element, *names: str) -> list[float]:
    return [float(node.get(name, "nan").rstrip("%")) for name in names]
