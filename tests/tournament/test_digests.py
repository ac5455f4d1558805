"""Records as JSON: every one comes back to the bit, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.testing.strategies import RECORDS
from crowdalpha.tournament.digests import as_json, digest, from_json
from crowdalpha.tournament.events import canonical
from crowdalpha.tournament.stakes import AtRisk


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_a_record_comes_back_from_its_json_to_the_bit(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(RECORDS[kind])
    again = from_json(kind, json.loads(canonical(as_json(record))))
    assert repr(again) == repr(record)
    assert digest([again]) == digest([record])


@pytest.mark.parametrize(
    "found",
    [
        {},
        [],
        as_json(AtRisk(1, "ada", 5, 1.0, 0.0)) | {"more": 1},
        as_json(AtRisk(1, "ada", 5, 1.0, 0.0)) | {"amount": "5"},
        as_json(AtRisk(1, "ada", 5, 1.0, 0.0)) | {"amount": True},
        as_json(AtRisk(1, "ada", 5, 1.0, 0.0)) | {"model": None},
        as_json(AtRisk(1, "ada", 5, 1.0, 0.0)) | {"corr_multiplier": 1.0},
        as_json(AtRisk(1, "ada", 5, 1.0, 0.0)) | {"corr_multiplier": "one"},
    ],
)
def test_what_is_no_record_is_refused(found: Any) -> None:
    with pytest.raises(ValueError, match=r"fields|type|could not convert|invalid"):
        from_json(AtRisk, found)
