"""Spelling: operations are written in several hands, the schema in one.

    fields, arguments    return_1_day -> return1Day, roundNumber__eq -> roundNumberEq
    types of variables   Str -> String, bool -> Boolean

A field keeps the name that it was asked by as an alias, so that the answer is spelt like the question.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    NamedTypeNode,
    NameNode,
    VariableDefinitionNode,
    Visitor,
    visit,
)

TYPES = {
    "str": "String",
    "string": "String",
    "bool": "Boolean",
    "boolean": "Boolean",
    "int": "Int",
    "integer": "Int",
    "float": "Float",
    "id": "ID",
}
"""Names that built-in types are called by, in lower case."""
LATER_WORD = re.compile("_+([0-9A-Za-z])")


def camel(name: str) -> str:
    """A name in the spelling of the schema; one of GraphQL's own is left as it is.

    >>> camel("return_1_day"), camel("roundNumber__eq"), camel("__typename")
    ('return1Day', 'roundNumberEq', '__typename')
    """
    if name.startswith("__"):
        return name
    return LATER_WORD.sub(lambda found: found[1].upper(), name)


def mend(document: DocumentNode) -> DocumentNode:
    """The document in the spelling of the schema; the one that is given stays as it is."""
    return visit(document, _Mender())


class _Mender(Visitor):
    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        name = camel(node.name.value)
        if name == node.name.value:
            return None
        return replace(node, name=NameNode(value=name, loc=node.name.loc), alias=node.alias or node.name)

    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode | None:
        name = camel(node.name.value)
        return None if name == node.name.value else replace(node, name=NameNode(value=name, loc=node.name.loc))

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> VariableDefinitionNode | None:
        return replace(node, type=visit(node.type, _TypeMender()))


class _TypeMender(Visitor):
    def leave_named_type(self, node: NamedTypeNode, *_: Any) -> NamedTypeNode | None:
        name = TYPES.get(node.name.value.lower())
        return None if name in (None, node.name.value) else replace(node, name=NameNode(value=name, loc=node.name.loc))
