"""Every text that an installed numerapi can send: its methods are called with a recorder in the place of the wire."""

from __future__ import annotations

import inspect
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from unittest.mock import MagicMock, patch

NUMBERS = ("tournament", "round_num", "limit", "offset", "hours", "number", "last_n_rounds", "data_datestamp", "day")
NO_QUERY = ("raw_query", "set_global_data_dir")


def recorded() -> dict[str, set[str]]:
    """The texts of operations, and the methods that send each."""
    import numerapi
    from numerapi import utils

    texts: dict[str, set[str]] = {}
    there = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stack.callback(os.chdir, there)
        os.chdir(folder)
        for name in ("put", "post", "get"):
            stack.enter_context(patch(f"requests.{name}"))
        stack.enter_context(patch.object(utils, "download_file"))
        stack.enter_context(patch.object(utils, "parse_datetime_string", lambda text: text))
        stack.enter_context(patch.object(utils, "parse_float_string", lambda text: 1))
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        with open("p.csv", "w") as file:
            file.write("id,prediction\n")
        for kind in (numerapi.NumerAPI, numerapi.SignalsAPI, numerapi.CryptoAPI):
            for method, call in _calls(kind, texts):
                for arguments in _arguments(call):
                    with suppress(Exception):  # an answer of nothing is more than most can do with; the text is out
                        call(**arguments)
                assert any(f"{kind.__name__}.{method}" in by for by in texts.values()), method
    return texts


def _calls(kind: Any, texts: dict[str, set[str]]) -> Iterator[tuple[str, Any]]:
    for method, _ in inspect.getmembers(kind, inspect.isfunction):
        if not method.startswith("_") and method not in NO_QUERY:
            api = kind("public", "secret", verbosity="CRITICAL")
            name = f"{kind.__name__}.{method}"

            def record(query: str, *_: Any, name: str = name, **__: Any) -> MagicMock:
                texts.setdefault(query, set()).add(name)
                return MagicMock()

            api.raw_query = record
            yield method, getattr(api, method)


def _arguments(call: Any) -> Iterator[dict[str, Any]]:
    """Its arguments with something in them; and with as little as may be."""
    parameters = inspect.signature(call).parameters
    filled = {name: _value(name, parameter.default) for name, parameter in parameters.items()}
    yield filled
    yield {name: value for name, value in filled.items() if name != "max_amount"} | (
        {"submission_id": "x"} if "submission_id" in parameters else {}
    )
    yield {name: filled[name] for name, one in parameters.items() if one.default is inspect.Parameter.empty}


def _value(name: str, default: Any) -> Any:
    if name in NUMBERS:
        return 1
    if name in ("nmr", "amount", "max_amount"):
        return "1"
    if name == "file_path":
        return "p.csv"
    return "x" if default is inspect.Parameter.empty else default
