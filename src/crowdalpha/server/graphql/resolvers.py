"""Resolvers bound to the schema: every field that is asked of the tournament itself has one, and no other has."""

from __future__ import annotations

from importlib import import_module

from graphql import GraphQLObjectType, GraphQLScalarType, GraphQLSchema

from crowdalpha.server.graphql.asked import ANSWERS
from crowdalpha.server.graphql.scalars import SCALARS

PARTS = ("accounts", "boards", "datasets", "diagnostics", "rounds", "scores", "stakes", "submissions")
"""The modules with what answers; the fields of what they return are the schema's."""


def bind(schema: GraphQLSchema) -> GraphQLSchema:
    """Give the schema what answers it."""
    for part in PARTS:
        import_module(f"crowdalpha.server.graphql.fields.{part}")
    for name, write in SCALARS.items():
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.coerce_output_value = write
    wanted = {f"{root.name}.{field}" for root in _roots(schema) for field in root.fields}
    assert wanted == set(ANSWERS), wanted ^ set(ANSWERS)
    for root in _roots(schema):
        for name, field in root.fields.items():
            field.resolve = ANSWERS[f"{root.name}.{name}"]
    return schema


def _roots(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [root for root in (schema.query_type, schema.mutation_type) if root is not None]
