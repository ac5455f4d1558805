"""What an expression of the source is worth if it is made of nothing but its module's own constants."""

from __future__ import annotations

import ast
import builtins
from functools import cache
from importlib import import_module

HARMLESS = {"len", "repr", "str", "sorted", "list", "map", "join", "format_amount"}
"""What may be called to find out."""


def constant(node: ast.expr, module: str, function: ast.FunctionDef) -> str | None:
    """The text of such an expression; None if it depends on anything that is known only when the function runs."""
    used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    called = {_called(each) for each in ast.walk(node) if isinstance(each, ast.Call)}
    if not used or used & _local(function) or not called <= HARMLESS:
        return None
    known = vars(import_module(f"crowdalpha.{module}".removesuffix(".__init__")))
    if not used <= {*known, *vars(builtins)}:
        return None
    value = eval(compile(ast.Expression(node), "<docs>", "eval"), dict(known))
    return str(value) if isinstance(value, str | int | float) else None


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


@cache
def _local(function: ast.FunctionDef) -> frozenset[str]:
    """Parameters and whatever is assigned, looped over or imported in a function."""
    names = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    names |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imports = (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))
    return frozenset(names | {each.asname or each.name for node in imports for each in node.names})
