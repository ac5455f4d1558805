"""How much one operation may ask: words, depth, and things at once. Clients wait for ever, so answers must be short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, FieldNode, FragmentDefinitionNode, FragmentSpreadNode, OperationDefinitionNode

from crowdalpha.server.catalogue import refusal

TOKENS = 2000
"""Words of a text: the longest of numerapi's has 109."""
LETTERS = 100_000
DEPTH = 10
ROOTS = 30
"""Fields asked for at once, whatever they are called."""

Fragments = Mapping[str, FragmentDefinitionNode]


def require_within(document: DocumentNode) -> None:
    """Refuse a valid document that is too deep or asks for too many things at once; `bad_request`.

    Questions about the schema itself may go as deep as it takes.
    """
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            if (depth := _depth(operation, fragments, {})) > DEPTH:
                raise refusal("bad_request", text=f"The query is {depth} levels deep; {DEPTH} are allowed.")
            if (roots := _roots(operation, fragments)) > ROOTS:
                raise refusal("bad_request", text=f"The query asks for {roots} things at once; {ROOTS} are allowed.")


def _depth(node: Any, fragments: Fragments, known: dict[str, int]) -> int:
    """How many fields lie in each other; every fragment is looked into once."""
    if isinstance(node, FragmentSpreadNode):
        name = node.name.value
        if name not in known:
            known[name] = _depth(fragments[name], fragments, known)
        return known[name]
    if isinstance(node, FieldNode):
        if node.name.value.startswith("__"):
            return 0
        return 1 + _deepest(node, fragments, known)
    return _deepest(node, fragments, known)


def _deepest(node: Any, fragments: Fragments, known: dict[str, int]) -> int:
    below = node.selection_set.selections if node.selection_set else ()
    return max((_depth(selection, fragments, known) for selection in below), default=0)


def _roots(node: Any, fragments: Fragments) -> int:
    """How many fields an operation asks the tournament for, those in its fragments included; it stops counting."""
    count, waiting = 0, list(node.selection_set.selections)
    while waiting and count <= 10 * ROOTS:
        selection = waiting.pop()
        if isinstance(selection, FieldNode):
            count += 1
        elif isinstance(selection, FragmentSpreadNode):
            waiting += fragments[selection.name.value].selection_set.selections
            count += not fragments[selection.name.value].selection_set.selections
        else:
            waiting += selection.selection_set.selections
    return count
