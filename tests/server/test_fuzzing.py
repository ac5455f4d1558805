"""Everything that the descriptions of both APIs allow, and much that they do not, is answered as they say.

Operations are asked with drawn values; half of what is allowed names what is there. The seed is fixed. That operations
look at who asks is tested in test_authorisation, one by one; that what the description allows may be refused by the
rules of a tournament is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from contests import OPEN, Asked, serving, upload, world
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from crowdalpha.server.app import create_app
from crowdalpha.server.limits import ASKING, Left, Limits, Rate

THERE = {
    "model": "ada-1", "tournament": 8, "round": 1, "submission": "sent", "change": "stake-ada", "name": "ada_one",
}  # fmt: skip
"""What is there, by the name of the part of an address."""
OFTEN = list(HealthCheck)
QUICK, LONG = 2, 100
ALLOWED, NOT_ALLOWED = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


class Unlimited(Limits):
    """Everybody may ask as often as they like."""

    def take(self, who: str, rate: Rate = ASKING) -> Left:
        """Let it through."""
        return Left(1, 1, 1)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """An app that lets everything through, on a round that is open."""
    with world(tmp_path_factory.mktemp("fuzzed") / "cup") as (engine, chosen):
        engine.tick(OPEN)
        engine.submit("sent", "ada-1", upload(), OPEN)
        asked = Asked(serving(engine, chosen))
        asked.app = create_app(asked.service, limits=Unlimited())
        yield asked


def drawn(operation: Any, mode: GenerationMode, examples: int, ask: Any) -> None:
    """Ask an operation so many times; not at all if there is nothing that it does not allow."""

    @seed(20260103)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=OFTEN, phases=[Phase.generate])
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def run(case: Case, there: bool) -> None:
        if there and mode is ALLOWED and isinstance(case.path_parameters, Mapping):
            case.path_parameters |= {name: THERE[name] for name in case.path_parameters if name in THERE}
        ask(case)

    try:
        run()
    except Unsatisfiable:
        assert mode is NOT_ALLOWED


def rest(asked: Asked, examples: int) -> None:
    token = asked("ada").headers["authorization"]

    def ask(case: Case) -> None:
        case.headers = {**(case.headers or {}), "Authorization": token}
        case.call_and_validate(excluded_checks=[positive_data_acceptance, ignored_auth])

    for operation in schemathesis.openapi.from_asgi("/api/v1/openapi.json", asked.app).get_all_operations():
        for mode in (ALLOWED, NOT_ALLOWED):
            drawn(operation.ok(), mode, examples, ask)


def graphql(asked: Asked, examples: int) -> None:
    token = asked("ada").headers["authorization"]

    def ask(case: Case) -> None:
        answer = case.call(headers={"Authorization": token})
        said = answer.json()
        codes = {error["extensions"]["code"] for error in said.get("errors", [])}
        assert (answer.status_code, "internal" in codes) == (200, False), case.body
        assert said["data"] is not None or codes

    for operation in schemathesis.graphql.from_asgi("/graphql", asked.app).get_all_operations():
        drawn(operation.ok(), ALLOWED, examples, ask)


def test_rest_answers_whatever_comes_as_its_description_says(fuzzed: Asked) -> None:
    rest(fuzzed, QUICK)


def test_graphql_answers_whatever_its_schema_allows_without_a_fault_of_its_own(fuzzed: Asked) -> None:
    graphql(fuzzed, QUICK)


@pytest.mark.slow
def test_rest_answers_as_its_description_says_again_and_again(fuzzed: Asked) -> None:
    rest(fuzzed, LONG)


@pytest.mark.slow
def test_graphql_answers_without_a_fault_again_and_again(fuzzed: Asked) -> None:
    graphql(fuzzed, LONG)
