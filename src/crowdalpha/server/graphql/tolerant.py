"""The front end: from the text of an operation to a document that can be executed, or to one refusal.

    parse, bounded -> mend the spelling -> validate, tolerantly -> bound what it asks

Clients send what a strict server refuses: types that do not exist, and nullable variables where a value is required.
Variables may go where they fit but for null, and ID is as good as String; nothing else is let through. A null that
comes where a value is required is refused when it comes.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    specified_rules,
    type_from_ast,
    validate,
)
from graphql.validation import VariablesInAllowedPositionRule

from crowdalpha.server.catalogue import refusal
from crowdalpha.server.graphql.bounds import LETTERS, TOKENS, require_within
from crowdalpha.server.graphql.spelling import mend

REMEMBERED = 256
"""Texts whose documents are kept: clients have a few dozen."""
SHORT = 20_000
"""Letters of a text that is worth keeping."""


@cache
def schema() -> GraphQLSchema:
    """What can be asked, with what answers each field."""
    from crowdalpha.server.graphql.resolvers import bind

    text = files("crowdalpha.server.graphql").joinpath("schema.graphql").read_text("utf-8")
    return bind(build_schema(text))


def document_of(text: str) -> DocumentNode:
    """The document that a text says; refused with `bad_request` or `not_supported`."""
    try:
        return _kept(text) if len(text) <= SHORT else _read(text)
    except RecursionError:
        raise refusal("bad_request", text="The query is too deep.") from None


def _read(text: str) -> DocumentNode:
    document = mend(_parsed(text))
    _require_supported(document)
    errors = validate(schema(), document, RULES, max_errors=5)
    if errors:
        raise refusal("bad_request", text=errors[0].message)
    require_within(document)
    return document


_kept = lru_cache(REMEMBERED)(_read)


def _parsed(text: str) -> DocumentNode:
    if len(text) > LETTERS:
        raise refusal("bad_request", text=f"The query has {len(text)} letters; {LETTERS} are allowed.")
    try:
        return parse(text, max_tokens=TOKENS)
    except GraphQLSyntaxError as error:
        raise refusal("bad_request", text=_said(error)) from None


def _said(error: GraphQLError) -> str:
    where = f" (line {error.locations[0].line}, column {error.locations[0].column})" if error.locations else ""
    return f"{error.message}{where}"


def _require_supported(document: DocumentNode) -> None:
    """Say of an operation that we do not have that we do not have it, and not that it is misspelt."""
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            root = schema().get_root_type(operation.operation)
            if root is None:
                raise refusal("not_supported", what=operation.operation.value)
            for field in operation.selection_set.selections:
                if isinstance(field, FieldNode) and not _is_known(field, root.fields):
                    asked = field.alias.value if field.alias else field.name.value
                    raise refusal("not_supported", what=asked)


def _is_known(field: FieldNode, known: Any) -> bool:
    return field.name.value.startswith("__") or field.name.value in known


def is_query(document: DocumentNode) -> bool:
    """Whether a document only asks, whichever of its operations is meant."""
    operations = [d.operation for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    return all(operation is OperationType.QUERY for operation in operations)


class TolerantVariables(VariablesInAllowedPositionRule):
    """Variables may go where their type fits but for null, ID and String being one."""

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_args: Any) -> None:
        """Look at every place that a variable of the operation is put in."""
        declared = {one.variable.name.value: one for one in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            one = declared.get(usage.node.name.value)
            given = type_from_ast(self.context.schema, one.type) if one else None
            if one and given and usage.type and not _fits(given, usage.type):
                message = f"Variable '${one.variable.name.value}' of type '{given}' cannot go where '{usage.type}' is."
                self.report_error(GraphQLError(message, [one, usage.node]))


def _fits(given: Any, wanted: GraphQLInputType) -> bool:
    """Whether two types are the same but for null, ID and String being one; a value fits no list."""
    one, other = _nullable(given), _nullable(wanted)
    if isinstance(one, GraphQLList) or isinstance(other, GraphQLList):
        both = isinstance(one, GraphQLList) and isinstance(other, GraphQLList)
        return both and _fits(one.of_type, other.of_type)
    return _plain(one) == _plain(other)


def _nullable(type: Any) -> Any:
    return type.of_type if isinstance(type, GraphQLNonNull) else type


def _plain(type: GraphQLNamedType) -> str:
    return "String" if type.name == "ID" else type.name


RULES = [TolerantVariables if rule is VariablesInAllowedPositionRule else rule for rule in specified_rules]
