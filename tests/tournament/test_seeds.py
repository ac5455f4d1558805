"""Seeds: nobody's choice, the same for everybody, and checked against what was promised."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.scoring import draw_bags
from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.seeds import (
    QUICKNET,
    Beacon,
    check_reveal,
    commitment,
    netstrings,
    provenance,
    round_secret,
    round_seed,
)

secrets = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, 10**6)
ZEROS, COUNTING = bytes(32), bytes(range(32))


def read_netstrings(text):
    """The byte strings in a run of netstrings, read the slow way."""
    parts = []
    while text:
        length, _, rest = text.partition(b":")
        parts.append(rest[: int(length)])
        assert rest[int(length) : int(length) + 1] == b","
        text = rest[int(length) + 1 :]
    return tuple(parts)


# Vectors: sha256sum gives the same


def test_the_commitment_is_the_plain_sha256_of_the_secret():
    assert commitment(ZEROS) == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    assert commitment(COUNTING) == "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"


@pytest.mark.parametrize(
    ("number", "secret", "beacon", "seed"),
    [
        (1, ZEROS, b"", "f5a135e998d8e33992ea7b0cbc463fc26e888c93f4115287a6476eb4e94a809f"),
        (210, ZEROS, b"", "de0458a83a798288db5313dcb20562ec20b60313c57e30bb8c01b61de768ddbd"),
        (210, COUNTING, b"", "a5d4c1586ba751f1723afade813b7780df96bc58c3c0bf61c02225c7dfb410b8"),
        (210, COUNTING, b"\x00\xff", "d529d79cff72dba8c31a0fdae49afa7cfb5a95e4531d144eb3d2e9405d243280"),
    ],
)
def test_the_seed_of_a_round_is_the_published_one(number, secret, beacon, seed):
    assert round_seed(number, secret, beacon).hex() == seed


def test_a_seed_can_be_computed_with_nothing_but_sha256():
    by_hand = hashlib.sha256(b"3:210,32:" + COUNTING + b",2:\x00\xff,").digest()
    assert round_seed(210, COUNTING, b"\x00\xff") == by_hand


# The encoding


def test_round_one_with_a_two_is_not_round_twelve():
    two = b"2" + bytes(31)
    assert netstrings(b"1", two) != netstrings(b"12", two[1:])
    assert round_seed(1, two) != round_seed(12, bytes(32))


def test_what_ends_the_secret_is_not_what_begins_the_beacon():
    assert netstrings(b"1", b"ab", b"c") != netstrings(b"1", b"a", b"bc")
    assert netstrings(b"1", b"", b"1:a,") != netstrings(b"1", b"1:a,", b"")


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"1:a,", b",", b":", b"0:,"])))
def test_encoded_parts_can_be_read_back_so_no_two_lists_look_alike(parts):
    assert read_netstrings(netstrings(*parts)) == tuple(parts)


@given(st.tuples(numbers, secrets, st.binary(max_size=40)), st.tuples(numbers, secrets, st.binary(max_size=40)))
def test_seeds_are_equal_only_where_everything_is(one, other):
    assert (round_seed(*one) == round_seed(*other)) == (one == other)


# Commit and reveal


@given(secrets)
def test_the_secret_that_was_promised_is_accepted(secret):
    check_reveal(commitment(secret), secret)


@given(secrets, st.integers(0, 255))
def test_a_secret_with_one_bit_changed_is_refused(secret, bit):
    changed = bytearray(secret)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InputError) as refused:
        check_reveal(commitment(secret), bytes(changed))
    assert refused.value.code == "secret_changed"


def test_a_seed_says_in_words_what_it_rests_on():
    assert provenance(b"") == "commit and reveal only"
    assert provenance(b"\x01") == "commit, reveal and public beacon"


def test_every_round_has_its_own_secret_from_one_master():
    found = {round_secret(COUNTING, number) for number in range(100)}
    assert len(found) == 100
    assert {len(secret) for secret in found} == {32}
    assert round_secret(COUNTING, 12) == round_secret(COUNTING, 12) != round_secret(ZEROS, 12)


def test_bags_are_drawn_from_a_round_seed_the_same_every_time():
    seed = round_seed(210, COUNTING)
    bags = draw_bags([5, 3, 2], n_bags=20, seed=seed)
    assert (bags == draw_bags([5, 3, 2], n_bags=40, seed=seed)[:20]).all()
    assert (bags != draw_bags([5, 3, 2], n_bags=20, seed=round_seed(211, COUNTING))).any()


# The beacon


def test_quicknet_values_appear_every_three_seconds_from_their_genesis_on():
    assert QUICKNET.time_of(1) == datetime(2023, 8, 23, 15, 9, 27, tzinfo=UTC)
    assert QUICKNET.time_of(27_946_612) == datetime(2026, 4, 20, tzinfo=UTC)
    assert QUICKNET.first_after(datetime(2026, 4, 20, tzinfo=UTC)) == 27_946_613


@given(st.integers(-(10**9), 10**15))
def test_the_value_a_round_may_use_is_the_first_one_after_its_close(microseconds):
    close = QUICKNET.genesis + timedelta(microseconds=microseconds)
    number = QUICKNET.first_after(close)
    assert QUICKNET.time_of(number) > close
    assert number == 1 or QUICKNET.time_of(number - 1) <= close
    QUICKNET.check(number, close)


@pytest.mark.parametrize("by", [-2, -1, 1])
def test_a_value_known_before_the_close_or_waited_for_after_it_is_refused(by):
    hourly = Beacon("hourly", datetime(2020, 1, 1, tzinfo=UTC), timedelta(hours=1))
    close = datetime(2020, 5, 4, 14, 30, tzinfo=UTC)
    with pytest.raises(InputError, match="the first after the close at 2020-05-04T14:30:00"):
        hourly.check(hourly.first_after(close) + by, close)


# What is refused


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33), "0" * 32, bytearray(32)])
@pytest.mark.parametrize("use", [commitment, lambda secret: round_seed(1, secret), lambda s: round_secret(s, 1)])
def test_a_secret_that_is_not_32_bytes_is_refused(secret, use):
    with pytest.raises(InputError) as refused:
        use(secret)
    assert refused.value.code == "bad_secret"


@pytest.mark.parametrize("number", [-1, 1.0, "1"])
@pytest.mark.parametrize("use", [round_seed, lambda number, secret: round_secret(secret, number)])
def test_a_round_that_is_no_number_is_refused(number, use):
    with pytest.raises(InputError) as refused:
        use(number, ZEROS)
    assert refused.value.code == "bad_number"
