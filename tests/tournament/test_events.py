"""The log of events: whatever is done to it, the check names the event."""

import dataclasses
import hashlib
import itertools
import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.events import (
    DEEPEST,
    GENESIS,
    LARGEST,
    Event,
    Head,
    append,
    canonical,
    check_chain,
    dump,
    first_break,
    from_line,
    head,
    load,
    to_line,
)

some = settings(max_examples=50)
START = datetime(2020, 5, 2, 18, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain = texts | st.integers(-LARGEST, LARGEST) | st.booleans() | st.none()
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)
payloads = st.dictionaries(texts, values, max_size=3)
kinds = st.sampled_from(["round.opened", "stake.changed", "score.added"])


def a_log(n=5, salt="é"):
    log = []
    for i in range(n):
        payload = {"round": i, "secret": f"{salt}{i}", "stakes": [str(i), {"model": None}]}
        log.append(append(log[-1] if log else None, START + timedelta(hours=i), "round.opened", payload))
    return log


@st.composite
def logs(draw, min_size=0):
    log = []
    for payload in draw(st.lists(payloads, min_size=min_size, max_size=4)):
        at = START + timedelta(microseconds=draw(st.integers(0, 10**12)))
        log.append(append(log[-1] if log else None, at, draw(kinds), payload))
    return log


def named(log, heads=()):
    """What the check says of a log: the code and the number of the event it names, or None."""
    found = first_break(log, heads)
    return (found.code, int(re.match(r"event (\d+)", found.where)[1])) if found else None


def named_in_bytes(data, heads=()):
    """The same for a log in bytes."""
    try:
        check_chain(load(data), heads)
    except InputError as refused:
        return refused.code, int(re.match(r"event (\d+)", refused.problems[0].where)[1])
    return None


def resealed(event, **changes):
    """A changed event with the hash that fits the change, as a careful forger would write it."""
    changed = dataclasses.replace(event, **changes)
    body = {name: getattr(changed, name) for name in ("number", "kind", "payload", "previous")}
    body["at"] = changed.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spelled = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return dataclasses.replace(changed, hash=hashlib.sha256(spelled.encode()).hexdigest())


def continued(log, event):
    """The log rewritten from an event on, all hashes and links in order."""
    new = [*log[: event.number - 1], event]
    for old in log[event.number :]:
        new.append(append(new[-1], old.at, old.kind, old.payload))
    return new


# What an event is


def test_the_hash_is_the_sha256_of_canonical_json():
    event = append(None, START, "round.opened", {"b": "é", "a": [1, None, True]})
    spelled = (
        '{"at":"2020-05-02T18:00:00.000000Z","kind":"round.opened","number":1,'
        f'"payload":{{"a":[1,null,true],"b":"\\u00e9"}},"previous":"{"0" * 64}"}}'
    )
    assert event.hash == hashlib.sha256(spelled.encode("ascii")).hexdigest()


def test_events_count_from_one_and_hold_the_hash_of_the_one_before():
    first, second, third = a_log(3)
    assert [event.number for event in (first, second, third)] == [1, 2, 3]
    assert [event.previous for event in (first, second, third)] == [GENESIS, first.hash, second.hash]


@some
@given(payloads)
def test_the_order_of_keys_does_not_matter(payload):
    backwards = dict(reversed(payload.items()))
    assert append(None, START, "x", payload) == append(None, START, "x", backwards)


@some
@given(payloads, payloads)
def test_two_payloads_have_the_same_bytes_only_where_they_are_the_same_json(one, other):
    same_bytes = canonical(one) == canonical(other)
    assert same_bytes == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def test_a_payload_is_copied_so_that_nobody_changes_it_afterwards():
    payload = {"ids": ["a"]}
    event = append(None, START, "x", payload)
    payload["ids"].append("b")
    assert event.payload == {"ids": ["a"]}
    check_chain([event])


def test_a_tuple_is_kept_as_the_list_that_it_is_in_json():
    event = append(None, START, "x", {"ids": ("a", "b")})
    assert event.payload == {"ids": ["a", "b"]}
    assert load(dump([event])) == (event,)


def test_an_event_can_be_put_into_a_set():
    assert len({*a_log(3), *a_log(3)}) == 3


def test_a_clock_that_steps_back_stops_no_log():
    log = [append(None, START, "x", {})]
    log.append(append(log[0], START - timedelta(seconds=1), "x", {}))
    check_chain(log)


@some
@given(logs())
def test_a_log_that_nobody_touched_passes_in_memory_and_in_bytes(log):
    assert load(dump(log)) == tuple(log)
    check_chain(load(dump(log)), [head(log[:n]) for n in range(len(log) + 1)])


# Every byte


def test_any_bit_flipped_in_any_byte_of_the_log_names_its_event():
    log = a_log(3)
    data = dump(log)
    owner = [number for number, line in enumerate(data.splitlines(keepends=True), 1) for _ in line]
    for i, number in enumerate(owner):
        for bit in range(8):
            flipped = data[:i] + bytes([data[i] ^ 1 << bit]) + data[i + 1 :]
            assert named_in_bytes(flipped) == ("event_changed", number), (i, bit)


@some
@given(logs(min_size=1), st.data())
def test_any_byte_put_in_the_place_of_another_names_the_event(log, data):
    data_before = dump(log)
    i = data.draw(st.integers(0, len(data_before) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1).filter(lambda byte: byte != data_before[i : i + 1]))
    number = data_before[:i].count(b"\n") + 1
    assert named_in_bytes(data_before[:i] + byte + data_before[i + 1 :]) == ("event_changed", number)


@some
@given(logs(min_size=1), st.data())
def test_any_byte_left_out_or_slipped_in_names_the_event(log, data):
    whole = dump(log)
    i = data.draw(st.integers(0, len(whole) - 1))
    number = whole[:i].count(b"\n") + 1
    assert named_in_bytes(whole[:i] + whole[i + 1 :]) == ("event_changed", number)
    slipped = data.draw(st.binary(min_size=1, max_size=1))
    assert named_in_bytes(whole[:i] + slipped + whole[i:])[1] == number


@some
@given(logs(min_size=1), st.data())
def test_a_log_cut_at_any_byte_names_the_first_event_that_is_not_whole(log, data):
    whole = dump(log)
    i = data.draw(st.integers(0, len(whole) - 1))
    number = whole[:i].count(b"\n") + 1
    code = "event_missing" if whole[:i].endswith(b"\n") or not i else "event_changed"
    assert named_in_bytes(whole[:i], [head(log)]) == (code, number)


CHANGES = {
    "number": 77,
    "at": START + timedelta(microseconds=1),
    "kind": "round.closed",
    "payload": {"round": 99},
    "previous": "1" * 64,
    "hash": "1" * 64,
}


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_field_changed_in_a_store_names_the_event(field, number):
    log = a_log(5)
    log[number - 1] = dataclasses.replace(log[number - 1], **{field: CHANGES[field]})
    assert named(log) == ("event_changed", number)


@pytest.mark.parametrize(
    "strange", [{"payload": {"x": 0.1}}, {"kind": "Round opened"}, {"at": START.replace(tzinfo=None)}]
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_event_that_could_not_have_been_appended_is_named_whatever_its_hash(strange, number):
    log = a_log(3)
    forged = resealed(log[number - 1], **strange)
    after = [resealed(log[number], previous=forged.hash)] if number < 3 else []
    assert named([*log[: number - 1], forged, *after]) == ("event_changed", number)


# Whole events


@some
@given(logs(min_size=2), st.data())
def test_an_event_taken_out_is_named(log, data):
    i = data.draw(st.integers(0, len(log) - 1))
    left = log[:i] + log[i + 1 :]
    assert named(left, [head(log)]) == ("event_missing", i + 1)
    assert named_in_bytes(dump(left), [head(log)]) == ("event_missing", i + 1)


@some
@given(logs(min_size=2), st.data())
def test_of_two_events_that_changed_places_the_first_is_named(log, data):
    i, j = sorted(data.draw(st.lists(st.integers(0, len(log) - 1), min_size=2, max_size=2, unique=True)))
    log[i], log[j] = log[j], log[i]
    assert named(log) == named_in_bytes(dump(log)) == ("event_moved", i + 1)


@some
@given(logs(min_size=1), st.data())
def test_an_event_that_is_there_twice_is_named(log, data):
    i = data.draw(st.integers(0, len(log) - 1))
    assert named([*log[: i + 1], *log[i:]]) == ("event_twice", i + 1)


@some
@given(logs(min_size=1), st.data())
def test_a_log_without_its_end_looks_whole_but_not_to_who_knows_its_head(log, data):
    n = data.draw(st.integers(0, len(log) - 1))
    assert named(log[:n]) is None
    assert named(log[:n], [head(log)]) == ("event_missing", n + 1)


def test_events_added_after_a_head_was_published_do_not_contradict_it():
    log = a_log(5)
    check_chain(log, [head(log[:2]), head([]), head(log[:4])])


# A careful forger


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_event_changed_together_with_its_hash_is_named_by_the_one_that_follows(number):
    log = a_log(5)
    log[number - 1] = resealed(log[number - 1], payload={"round": 99})
    assert named(log) == ("event_changed", number)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_an_event_moved_to_another_past_together_with_its_hash_is_named(number):
    log = a_log(5)
    log[number - 1] = resealed(log[number - 1], previous="1" * 64)
    assert named(log) == ("event_changed", number)


def test_a_log_that_starts_in_the_middle_is_named_even_if_it_counts_from_one():
    log = a_log(2)
    forged = resealed(log[1], number=1)
    assert named([forged]) == ("event_changed", 1)


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_log_rewritten_from_an_event_on_passes_only_with_who_has_seen_no_head(number):
    log = a_log(5)
    forged = continued(log, resealed(log[number - 1], payload={"round": 99}))
    assert named(forged) is None
    assert named(forged, [head(log[:n]) for n in range(1, 6)]) == ("event_changed", number)


def test_between_two_published_heads_the_check_says_from_where_the_log_may_be_forged():
    log = a_log(5)
    forged = continued(log, resealed(log[2], payload={"round": 99}))
    with pytest.raises(InputError) as refused:
        check_chain(forged, [head(log), head(log[:2])])
    assert refused.value.problems[0].where == "event 5, or one since 3"
    with pytest.raises(InputError) as refused:
        check_chain(forged, [head(log[:3]), head(log[:2])])
    assert refused.value.problems[0].where == "event 3"


def test_the_head_of_an_empty_log_is_the_genesis():
    assert head([]) == Head(0, GENESIS)
    check_chain([], [head([])])


# What is refused


def refusals(payload, at=START, kind="x"):
    with pytest.raises(InputError) as refused:
        append(None, at, kind, payload)
    return [(problem.code, problem.where) for problem in refused.value.problems]


@pytest.mark.parametrize(
    "value",
    [0.5, float("nan"), b"x", START, {1}, LARGEST + 1, -LARGEST - 1, 10**5000, "\ud800", object()],
    ids=itertools.count(),
)
def test_what_json_cannot_say_in_one_way_is_refused(value):
    assert refusals({"a": [value]}) == [("bad_payload", "event 1, payload.a[0]")]


def test_the_largest_whole_numbers_are_kept_exactly():
    event = append(None, START, "x", {"a": LARGEST, "b": -LARGEST})
    assert load(dump([event])) == (event,)


@pytest.mark.parametrize("key", [1, None, "\udfff"])
def test_a_key_that_is_no_text_is_refused(key):
    assert refusals({"a": {key: 1}}) == [("bad_payload", "event 1, payload.a")]


def test_everything_that_is_wrong_with_an_event_is_said_at_once():
    found = refusals({"a": 0.1, "b": {"c": 0.2}}, at=datetime(2020, 5, 2), kind="Round opened")
    assert [code for code, _ in found] == ["not_utc", "bad_kind", "bad_payload", "bad_payload"]
    assert found[-1] == ("bad_payload", "event 1, payload.b.c")


@pytest.mark.parametrize("kind", ["", "Opened", "1", "a b", "a\n", None])
def test_a_kind_that_is_no_word_is_refused(kind):
    assert refusals({}, kind=kind) == [("bad_kind", "event 1, kind")]


def test_a_time_in_another_zone_is_refused():
    assert refusals({}, at=START.astimezone(timezone(timedelta(hours=2)))) == [("not_utc", "event 1, at")]


def nested(depth):
    return {"a": nested(depth - 1)} if depth else 1


def test_a_payload_that_nests_too_deep_is_refused():
    append(None, START, "x", nested(DEEPEST))
    assert [code for code, _ in refusals(nested(DEEPEST + 1))] == ["bad_payload"]


GOOD = to_line(a_log(1)[0])


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"1",
        b'"number"',
        b"{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b" " + GOOD,
        GOOD.replace(b'"number":1', b'"number":true'),
        GOOD.replace(b'"number":1', b'"number":1.0'),
        GOOD.replace(b'"number":1', b'"number":' + b"1" * 5000),
        GOOD.replace(b'"number":1', b'"number":1,"number":1'),
        GOOD.replace(b'"number":1', b'"more":1,"number":1'),
        GOOD.replace(b'"at":"2020-05-02T18:00:00.000000Z"', b'"at":1'),
        GOOD.replace(b"18:00:00.000000Z", b"18:00:00.000000"),
        GOOD.replace(b"18:00:00.000000Z", b"18:00:00.000000+00:00"),
        GOOD.replace(b"18:00:00.000000Z", b"18:00:00Z"),
        GOOD.replace(b'"round":0', b'"round":0.0'),
        GOOD.replace(b'"round":0', b'"round":NaN'),
        GOOD.replace(b'"round":0', b'"round":-0'),
        GOOD.replace(b"\\u00e9", b"\\u00E9"),
        GOOD.replace(b"\\u00e9", "é".encode()),
        GOOD.replace(b'"previous":"' + b"0" * 64 + b'"', b'"previous":null'),
        re.sub(rb'"payload":.*,"previous"', b'"payload":[],"previous"', GOOD),
        re.sub(rb'"hash":"[0-9a-f]+"', b'"hash":1', GOOD),
    ],
    ids=itertools.count(),
)
def test_a_line_that_is_not_exactly_an_event_is_refused(line):
    assert line != GOOD
    with pytest.raises(InputError) as refused:
        from_line(line, 7)
    assert refused.value.code == "event_changed"
    assert refused.value.problems[0].where == "event 7"


@some
@given(st.binary(max_size=60))
def test_no_bytes_at_all_make_the_reader_fail_otherwise(data):
    if data:
        assert named_in_bytes(data)[1] >= 1


@some
@given(st.integers(1, 9999))
def test_years_of_any_length_are_spelled_with_four_digits(year):
    event = append(None, START.replace(year=year), "x", {})
    assert from_line(to_line(event), event.number) == event
    assert isinstance(event, Event)
    assert f'"at":"{year:04d}-05-02'.encode() in to_line(event)
