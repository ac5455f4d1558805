"""Reading the source without running it: which texts a call can be given, followed through names, loops and callers."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeGuard

from docs.make.constants import constant

SOURCE = Path(__file__).resolve().parents[2] / "src" / "crowdalpha"
DEPTH = 3
"""How many callers up a name is followed."""


@dataclass(frozen=True)
class Scope:
    """A function at one line, with what some of its names stand for there, each as an expression in a scope."""

    function: ast.FunctionDef
    line: int
    given: Mapping[str, tuple[ast.expr, Scope]] = field(default_factory=dict)

    def value(self, name: str) -> tuple[ast.expr, Scope] | None:
        """What a name stands for: as given, or as last assigned above the line."""
        if name in self.given:
            return self.given[name]
        above = [(node.lineno, value) for node, value in _assignments(self.function, name) if node.lineno < self.line]
        if not above:
            return None
        line, value = max(above, key=lambda pair: pair[0])
        return value, Scope(self.function, line, self.given)

    def binding(self, more: Mapping[str, tuple[ast.expr, Scope]]) -> Scope:
        """The same place with more names given."""
        return Scope(self.function, self.line, {**self.given, **more})


@cache
def homes() -> dict[ast.FunctionDef, str]:
    """The module of each function and method."""
    return {node: place.rpartition(".")[0] for place, node in functions()}


@cache
def functions(package: str = "") -> tuple[tuple[str, ast.FunctionDef], ...]:
    """Each function and method with its dotted name, in the order of the files."""
    if package:
        return tuple((place, node) for place, node in functions() if place.startswith(f"{package}."))
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [(f"{module}.{node.name}", node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return tuple(found)


def calls(function: ast.AST, name: str) -> list[ast.Call]:
    """The calls of a name, or of an attribute of that name, within a function."""
    return _calls(function).get(name, [])


@cache
def _calls(function: ast.AST) -> dict[str, list[ast.Call]]:
    """The calls within a function by what is called."""
    found: dict[str, list[ast.Call]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            found.setdefault(getattr(node.func, "id", getattr(node.func, "attr", "")), []).append(node)
    return found


def scopes(call: ast.Call, function: ast.FunctionDef, code: ast.expr, depth: int = DEPTH) -> list[Scope]:
    """The scopes a call can be in: one for each round of a loop over literals, and for each caller if `code` asks."""
    found = [Scope(function, call.lineno)]
    for target, values in _loops(call, function):
        found = [scope.binding(names) for scope in found for names in _rounds(target, values, scope)]
    return [up for scope in found for up in _with_callers(scope, code, depth)]


def text(node: ast.expr, scope: Scope) -> str:
    """An expression as text: literals as they are, what is only known at run time in angle brackets."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(text(part, scope) for part in node.values)
        case ast.FormattedValue():
            return text(node.value, scope)
        case ast.BinOp(op=ast.Add()):
            return text(node.left, scope) + text(node.right, scope)
        case ast.IfExp():
            return text(node.body, scope) or text(node.orelse, scope)
        case ast.Name() if (found := scope.value(node.id)) and _literal(found[0]):
            return text(*found)
    known = constant(node, homes()[scope.function], scope.function)
    return f"<{_blank(node)}>" if known is None else known


def alternatives(node: ast.expr, scope: Scope) -> list[str]:
    """The texts an expression can be: both arms of a choice, one text otherwise."""
    if isinstance(node, ast.Name) and (found := scope.value(node.id)):
        return alternatives(*found)
    if isinstance(node, ast.IfExp):
        return alternatives(node.body, scope) + alternatives(node.orelse, scope)
    if isinstance(node, ast.JoinedStr):
        texts = [""]
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            texts = [start + end for start in texts for end in alternatives(inner, scope)]
        return texts
    return [text(node, scope)]


def arguments(call: ast.Call, names: Iterable[str]) -> dict[str, ast.expr]:
    """The arguments of a call by name."""
    given = dict(zip(names, call.args, strict=False))
    return given | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _with_callers(scope: Scope, code: ast.expr, depth: int) -> list[Scope]:
    """The scope with its parameters bound by each caller, if the code depends on one of them."""
    named = (*scope.function.args.args, *scope.function.args.kwonlyargs)
    parameters = [each.arg for each in named if each.arg not in ("self", "cls")]
    if not depth or not {name.id for name in _names(code, scope)} & set(parameters):
        return [scope]
    scope = scope.binding({**_defaults(scope), **scope.given})
    found = []
    for caller, call in _callers(scope.function):
        given = arguments(call, parameters)
        wanted = [given[name.id] for name in _names(code, scope) if name.id in given]
        outers = scopes(call, caller, ast.Tuple(wanted), depth - 1) if wanted else []
        found += [scope.binding({name: (value, outer) for name, value in given.items()}) for outer in outers]
    return found or [scope]


def _defaults(scope: Scope) -> dict[str, tuple[ast.expr, Scope]]:
    """The defaults of a function's keyword-only parameters."""
    arguments_ = scope.function.args
    pairs = zip(arguments_.kwonlyargs, arguments_.kw_defaults, strict=True)
    return {each.arg: (value, scope) for each, value in pairs if value}


@cache
def _callers(function: ast.FunctionDef) -> list[tuple[ast.FunctionDef, ast.Call]]:
    """Who calls a function: anybody, or its own module if its name says that it is private."""
    home = homes()[function]
    callers = [node for node, place in homes().items() if place == home or not function.name.startswith("_")]
    found = [(caller, call) for caller in callers for call in calls(caller, function.name)]
    return [(caller, call) for caller, call in found if _means(call, function, homes()[caller], home)]


def _means(call: ast.Call, function: ast.FunctionDef, module: str, home: str) -> bool:
    """Whether a call in a module can be one of a function: a method, its own, through its module, or imported."""
    last = home.rpartition(".")[2]
    if isinstance(call.func, ast.Attribute):
        first = next(iter(function.args.args), None)
        return (first is not None and first.arg in ("self", "cls")) or getattr(call.func.value, "id", "") == last
    return module == home or (last, function.name) in _imported(module)


@cache
def _imported(module: str) -> frozenset[tuple[str, str]]:
    """Each name a module imports, with the last word of where it is from."""
    tree = ast.parse((SOURCE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return frozenset(((node.module or "").rpartition(".")[2], each.name) for node in found for each in node.names)


def _names(node: ast.expr, scope: Scope) -> Iterator[ast.Name]:
    """The names a text depends on, followed through assignments."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            found = scope.value(child.id)
            if found is None:
                yield child
            elif _literal(found[0]) and found[1].function is scope.function:
                yield from _names(*found)


def _loops(call: ast.Call, function: ast.FunctionDef) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Target and values of every loop and comprehension round a call, the outermost first."""
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.ListComp | ast.GeneratorExp) and any(c is call for c in ast.walk(node)):
            rounds = [node] if isinstance(node, ast.For) else node.generators
            yield from ((each.target, each.iter) for each in rounds)


def _rows(values: ast.expr, scope: Scope) -> list[ast.expr]:
    """The rounds of a loop over literals: the items of a tuple, a list or a dictionary; none if it is not literal."""
    if isinstance(values, ast.Name) and (found := scope.value(values.id)):
        return _rows(*found)
    if isinstance(values, ast.Call) and getattr(values.func, "attr", "") == "items":
        return _rows(values.func.value, scope)  # type: ignore[attr-defined]
    if isinstance(values, ast.Dict):
        return [ast.Tuple([k, v]) for k, v in zip(values.keys, values.values, strict=True) if k]
    return list(values.elts) if isinstance(values, ast.Tuple | ast.List) else []


def _rounds(target: ast.expr, values: ast.expr, scope: Scope) -> list[dict[str, tuple[ast.expr, Scope]]]:
    """What the names of a loop stand for in each of its rounds; nothing is known if its values are not literal."""
    return [_bound(target, row, scope) for row in _rows(values, scope)] or [{}]


def _bound(target: ast.expr, row: ast.expr, scope: Scope) -> dict[str, tuple[ast.expr, Scope]]:
    if isinstance(target, ast.Name):
        return {target.id: (row, scope)}
    if isinstance(target, ast.Tuple) and isinstance(row, ast.Tuple):
        pairs = zip(target.elts, row.elts, strict=True)
        return {name: value for t, r in pairs for name, value in _bound(t, r, scope).items()}
    return {}


def _assignments(function: ast.FunctionDef, name: str) -> Iterator[tuple[ast.Assign, ast.expr]]:
    for node in filter(_is_assignment, ast.walk(function)):
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            yield from ((node, value) for t, value in pairs if isinstance(t, ast.Name) and t.id == name)


def _is_assignment(node: ast.AST) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign)


def _literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp | ast.Name | ast.Tuple | ast.Dict)


def _blank(node: ast.expr) -> str:
    """A short name for what is filled in: the first word of the expression that says something."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("len", "int"):
        return "n"
    if isinstance(node, ast.Call) and node.args and getattr(node.func, "attr", "join") == "join":
        return _blank(node.args[0])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _blank(node.func.value)
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        return _blank(node.generators[0].iter)
    names = [getattr(child, "attr", getattr(child, "id", "")) for child in ast.walk(node)]
    return next((name.strip("_").lower().replace("_", " ") for name in names if name), "value")
