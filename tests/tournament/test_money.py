"""Money: text and units are the same thing, to the last decimal, or are refused."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.money import (
    LARGEST,
    UNITS,
    amount_problems,
    format_amount,
    parse_amount,
    positive_problems,
    round_half_even,
)

AMOUNT = st.integers(-LARGEST, LARGEST)


def code_of(refused):
    return refused.value.code


@given(AMOUNT)
@example(2**62)
@example(LARGEST)
@example(-LARGEST)
@example(0)
def test_what_is_formatted_is_parsed_back_to_the_unit(units):
    assert parse_amount(format_amount(units)) == units


@given(AMOUNT)
def test_the_text_says_the_exact_number_of_coins_in_as_few_decimals_as_possible(units):
    text = format_amount(units)
    assert Fraction(text) == Fraction(units, UNITS)
    assert "." not in text or not text.endswith("0")
    assert "E" not in text


@given(st.integers(0, 10**9), st.integers(0, 9), st.data())
def test_any_number_of_decimals_up_to_nine_is_read_exactly(coins, places, data):
    digits = "".join(data.draw(st.lists(st.sampled_from("0123456789"), min_size=places, max_size=places)))
    text = f"{coins}.{digits}" if places else str(coins)
    assert parse_amount(text) == int(Decimal(text).scaleb(9))
    assert parse_amount(f"-{text}") == -parse_amount(text)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("12.5", 12_500_000_000),
        ("0.000000001", 1),
        ("-0.000000001", -1),
        ("0", 0),
        ("-0", 0),
        ("007", 7 * UNITS),
        ("1.500000000", 1_500_000_000),
        ("9223372036.854775807", LARGEST),
    ],
)
def test_amounts_that_are_read(text, units):
    assert parse_amount(text) == units


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "1\n", "+1", ".5", "5.", "1e3", "1E-9", "nan", "NaN", "inf", "-inf", "1_000", "1,000", "1'000",
     "0x10", "--1", "- 1", "1.2.3", "１２", "٣", "1/2", "½", "-", ".", "9" * 5000, "0." + "0" * 5000],
)  # fmt: skip
def test_text_that_is_no_plain_number_is_refused(text):
    with pytest.raises(InputError) as refused:
        parse_amount(text)
    assert code_of(refused) == "bad_amount"
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("value", [12.5, 12, None, b"12", Decimal("12"), float("nan"), True])
def test_what_is_no_text_is_refused_a_float_above_all(value):
    with pytest.raises(InputError) as refused:
        parse_amount(value)
    assert code_of(refused) == "bad_amount"


@pytest.mark.parametrize("text", ["0.0000000001", "1.1234567891", "1.0000000000", "-3.1415926535897932"])
def test_a_tenth_decimal_is_refused_even_a_zero(text):
    with pytest.raises(InputError) as refused:
        parse_amount(text)
    assert code_of(refused) == "amount_too_fine"


@pytest.mark.parametrize("text", ["9223372036.854775808", "-9223372036.854775808", "1" + "0" * 39])
def test_more_than_an_account_can_hold_is_refused(text):
    with pytest.raises(InputError) as refused:
        parse_amount(text)
    assert code_of(refused) == "amount_too_large"


@given(st.fractions(-(2**62), 2**62))
@example(Fraction(2**62 + 1, 2))
@example(Fraction(2**62 + 3, 2))
def test_rounding_is_that_of_decimal_arithmetic(exact):
    with localcontext() as context:
        context.prec = 400
        scaled = exact * 10**40
        if scaled.denominator == 1:
            decimal = Decimal(scaled.numerator).scaleb(-40)
            assert round_half_even(exact) == int(decimal.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    assert abs(round_half_even(exact) - exact) <= Fraction(1, 2)


@given(st.integers(-(2**62), 2**62))
def test_a_half_goes_to_the_even_neighbour(units):
    rounded = round_half_even(Fraction(2 * units + 1, 2))
    assert rounded % 2 == 0
    assert rounded in (units, units + 1)


@given(st.fractions())
def test_rounding_treats_gains_and_losses_alike(exact):
    assert round_half_even(-exact) == -round_half_even(exact)


@pytest.mark.parametrize("value", [1.0, "1", None, True, Decimal(1), Fraction(1)])
def test_only_an_int_is_an_amount(value):
    (problem,) = amount_problems(value, "here")
    assert (problem.code, problem.where) == ("not_whole_units", "here")
    assert [problem.code for problem in positive_problems(value, "here")] == ["not_whole_units"]


def test_a_numpy_integer_is_no_amount_because_it_wraps_around():
    assert [problem.code for problem in amount_problems(np.int64(5), "here")] == ["not_whole_units"]


@pytest.mark.parametrize(("units", "codes"), [
    (0, ["amount_not_positive"]), (-1, ["amount_not_positive"]), (1, []), (LARGEST, []),
    (LARGEST + 1, ["amount_too_large"]), (-LARGEST - 1, ["amount_too_large", "amount_not_positive"]),
])  # fmt: skip
def test_what_moves_is_above_zero_and_fits_an_account(units, codes):
    assert [problem.code for problem in positive_problems(units, "here")] == codes
