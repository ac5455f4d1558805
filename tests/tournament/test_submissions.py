"""Accepted and refused as numerai-tools does, in its words; everything wrong at once; differences have reasons."""

import io
import logging
import warnings
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from corpus import GROUPS, IDS, TICKERS, UNIVERSES, numbers_as_ids, of_chance, submissions
from hypothesis import given, settings
from hypothesis import strategies as st
from numerai_tools import submissions as reference

from crowdalpha.scoring.problems import InputError
from crowdalpha.storage import intake, reading
from crowdalpha.tournament.faults import RULES, broken
from crowdalpha.tournament.headers import Headers
from crowdalpha.tournament.submissions import CLASSIC, FLAVOURS, SHOWN, SubmissionRules, Upload, check, check_eras

TOO_FEW = "invalid_submission_ids: Not enough stocks submitted. Are you using the latest live ids or live universe?"
NUMBERS_FROM_TEXT = "pandas turns ids that look like numbers or truths into such; ours are the text that was sent"
DIFFERENCES = {
    "text index without a name": "pandas takes the first fields of rows that are too long for an index; "
    "a file whose header does not fit its rows may mean anything",
    "text trailing commas below": "as above; both refuse, in other words",
    "text nul in an id": "no text has NUL in it; a file that does is not what it says",
    "text nul at the end": "as above",
    "parquet values decimal": "predictions are floats; a decimal would be rounded unasked",
    "parquet ids float": "a float cannot say whether it was 7 or 007; both refuse, in other words",
    "parquet ids list": "no id is a list; both refuse, in other words",
    "parquet ids date": "no id is a date; both refuse, in other words",
    "parquet id as index and column": "the reference trips over the index's name; nothing is wrong with the columns",
    "ids ['0012', '7']": NUMBERS_FROM_TEXT,
    "ids ['1.50', '2.25']": NUMBERS_FROM_TEXT,
    "ids ['1e5', '2']": NUMBERS_FROM_TEXT,
    "ids ['TRUE', 'false']": NUMBERS_FROM_TEXT,
    "ids ['NA', 'b']": "an id of the round is an id, even if it looks like a word for nothing",
}
"""Every file of the corpus that the reference judges otherwise, and why."""


def theirs(flavour, kind, content, universe):
    """The reference on a file: its message; "crash" where it or its reader fails; else the predictions, the unknown."""
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            table = read(io.BytesIO(content))
            if flavour == "classic":
                id, value, kept, unknown = reference.validate_submission_numerai(pd.Series(universe, dtype=str), table)
            elif flavour == "signals":
                id, value, _, kept, unknown = reference.validate_submission_signals(pd.DataFrame(universe), table)
            else:
                id, value, kept, unknown = reference.validate_submission_crypto(pd.DataFrame(universe), table)
        except AssertionError as refusal:
            return str(refusal)
        except Exception:  # whatever it is that a reader or the reference stumbles over
            return "crash"
    return dict(zip(kept[id], kept[value].astype(float), strict=True)), set(map(str, unknown))


def ours(flavour, kind, content, universe, known=()):
    """Our verdict on a file, read in this process: the other tests show what happens in a limited one."""
    rules = FLAVOURS[flavour]
    missing = frozenset(rules.missing) - set(known)
    limits = replace(intake.LIVE, id_length=intake.LIVE.line)  # the reference knows no longest id
    order, out = reading.Order(rules.headers, missing, **asdict(limits)), io.BytesIO()
    if kind == "csv":
        reading.answer(lambda: reading.read_csv(io.BytesIO(content), order), out)
    else:
        reading.answer(lambda: reading.read_parquet(content, order), out)
    return check(intake.from_answer(out.getvalue(), rules), universe, rules)


def agree(verdict, expected, universe):
    """Whether our verdict is the reference's: the same message first, or the same ids with the same numbers."""
    if expected == "crash":
        return not verdict.accepted
    if isinstance(expected, str):
        return not verdict.accepted and verdict.messages[0] == expected
    values, unknown = expected
    if not verdict.accepted or verdict.n_ids != len(values) or set(verdict.unknown) != unknown:
        return False
    kinds = universe.values() if isinstance(universe, dict) else [universe]
    names = next(kind for kind in kinds if set(values) <= set(kind))
    given = np.array([values.get(name, np.nan) for name in names])
    # pandas reads decimals to within an ulp or so, Python to the nearest
    return np.array_equal(np.isnan(given), np.isnan(verdict.predictions)) and np.allclose(
        given, verdict.predictions, rtol=2**-51, atol=0, equal_nan=True
    )


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("group", GROUPS)
def test_files_are_judged_as_the_reference_judges_them_but_for_the_listed_differences(group):
    differ, verdicts = [], []
    for name, flavour, kind, content in submissions(group):
        verdicts.append(ours(flavour, kind, content, UNIVERSES[flavour]))
        if not agree(verdicts[-1], theirs(flavour, kind, content, UNIVERSES[flavour]), UNIVERSES[flavour]):
            differ.append(name)
    assert {verdict.accepted for verdict in verdicts} == {True, False}
    prefixes = {"text": "text ", "types": "parquet "}
    listed = [name for name in DIFFERENCES if group in prefixes and name.startswith(prefixes[group])]
    assert sorted(differ) == sorted(listed)


def test_the_corpus_has_more_than_five_hundred_different_files():
    assert len({content for group in GROUPS for _, _, _, content in submissions(group)}) > 500


def test_ids_that_look_like_numbers_stay_what_they_are():
    differ = []
    for name, universe, content in numbers_as_ids():
        verdict = ours("classic", "csv", content, universe, known=universe)
        assert verdict.accepted
        if not agree(verdict, theirs("classic", "csv", content, universe), universe):
            differ.append(name)
    assert sorted(differ) == sorted(name for name in DIFFERENCES if name.startswith("ids "))


@pytest.mark.slow
def test_thousands_of_random_files_are_judged_as_the_reference_judges_them():
    for name, flavour, kind, content in of_chance(4000, seed=11):
        expected = theirs(flavour, kind, content.encode(), IDS)
        assert agree(ours(flavour, kind, content.encode(), IDS), expected, IDS), name


def table(ids=IDS, values=None, id="id", prediction="prediction"):
    return pa.table({id: ids, prediction: np.linspace(0.1, 0.8, len(ids)) if values is None else values})


def test_the_messages_are_the_ones_that_participants_know():
    signals = FLAVOURS["signals"]
    dated = replace(signals, headers=replace(signals.headers, date_required=True))
    nan = float("nan")
    for table_, universe, rules, message in (
        (table(id="ID"), IDS, CLASSIC, "headers must be one of ['id'] and one of ['prediction', 'probability']"),
        (table(id="ticker"), UNIVERSES["signals"], dated, "submission must contain a date column"),
        (table([None, *IDS]), IDS, CLASSIC, "Submission must not contain NaNs in the id column."),
        (table([*IDS, "a"]), IDS, CLASSIC, "Duplicates detected in id for live period."),
        (table(IDS[1:]), IDS, CLASSIC, TOO_FEW.split(": ")[1]),
        (table(values=[nan, 0.2, 0.3, 0.4] * 2), IDS, CLASSIC, "submission must not contain NaNs"),
        (table(values=[1.1, 0.2] * 4), IDS, CLASSIC, "values must be between 0 and 1 exclusive"),
        (table(values=[0.5] * 8), IDS, CLASSIC, "submission must have non-zero standard deviation"),
        (table(values=["high"] * 8), IDS, CLASSIC, "values must be numeric"),
    ):
        verdict = check(table_, universe, rules)
        assert [message_.split(": ", 1)[1] for message_ in verdict.messages] == [message]
    assert broken("eras", "12 ids", eras=["0936"], needed=5).message == (
        "invalid_submission_eras: Incomplete eras uploaded: ['0936']"
    )
    assert broken("closed", "round 7").message == "invalid_submission_round: Current round not open for submissions"


def test_every_rule_has_a_stable_code_and_says_what_to_do():
    codes = {"headers", "ids", "values", "file", "round", "eras"}
    assert {rule.code for rule in RULES.values()} == {f"invalid_submission_{code}" for code in codes}
    assert all(rule.text and rule.expected and rule.fix for rule in RULES.values())


def test_everything_that_is_wrong_is_told_at_once_with_row_and_reason():
    content = b"id,prediction\n,0.5\na,7\n\nb,\nc,high\nd,0.1\nd,0.2\n"
    verdict = ours("classic", "csv", content, IDS)
    told = [(fault.code.removeprefix("invalid_submission_"), fault.row, fault.reason) for fault in verdict.faults]
    assert told == [
        ("ids", 2, "nothing"),
        ("ids", 8, "'d' again"),
        ("ids", 0, "4 of 8, without 'e'"),
        ("values", 5, "nothing or NaN"),
        ("values", 6, "'high'"),
        ("values", 3, "7"),
    ]
    assert str(verdict.faults[1]) == (
        "invalid_submission_ids: Duplicates detected in id for live period. "
        "(row 8: found 'd' again; keep one row for each)"
    )


def test_twenty_rows_are_listed_and_the_rest_is_counted():
    names = [f"n{i}" for i in range(50)]
    verdict = check(table(names, [float("nan")] * 49 + [0.5]), names)
    assert len(verdict.faults) == SHOWN + 1
    assert verdict.faults[-1].reason == "the same in 29 more rows"


def test_a_refused_submission_has_no_predictions_and_its_ranks_raise_all_faults():
    verdict = check(table(IDS[1:], [2.0] * 7), IDS)
    assert verdict.predictions is None
    with pytest.raises(InputError) as refusal:
        verdict.ranks()
    assert refusal.value.problems == verdict.faults
    assert {problem["code"] for problem in refusal.value.as_dicts()} == {
        "invalid_submission_ids",
        "invalid_submission_values",
    }


def test_an_id_in_another_spelling_is_named():
    for spelling in ("A", " a", "\uff41", "a "):
        fault = check(table([*IDS[1:], spelling]), IDS).faults[0]
        assert fault.reason == f"7 of 8, without 'a'; {spelling!a} is not 'a'"
        assert fault.row == 8


@given(st.permutations(range(8)), st.lists(st.floats(0, 1), min_size=8, max_size=8, unique=True))
def test_the_order_of_rows_plays_no_part(order, values):
    straight = check(table(IDS, values), IDS)
    turned = check(table([IDS[i] for i in order], [values[i] for i in order]), IDS)
    assert straight.messages == turned.messages
    if straight.accepted:
        assert np.array_equal(straight.predictions, turned.predictions)
        assert np.array_equal(straight.predictions, values)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(TICKERS[:12]), min_size=2, max_size=12, unique=True), st.integers(0, 2**32))
def test_ranks_are_those_of_the_reference_with_left_out_ids_in_the_middle(names, seed):
    values = np.random.default_rng(seed).integers(0, 5, len(names)) / 5 + 0.01
    values[0] += 0.001
    universe = TICKERS[:12]
    rules = SubmissionRules(min_ids=2, fill=0.5)
    verdict = check(table(names, values), universe, rules)
    expected = reference.clean_submission(
        pd.DataFrame({"id": universe}),
        pd.DataFrame({"id": names, "prediction": values}),
        "id",
        "prediction",
        rank_and_fill=True,
    )
    assert np.array_equal(verdict.ranks(), expected[universe].to_numpy())


def test_rules_are_data():
    scores = SubmissionRules(Headers(("team",), ("score",)), min_ids=2, lowest=-1, highest=3, spread=False)
    good = pa.table({"team": ["a", "b"], "score": [-1.0, -1.0]})
    assert check(good, IDS, scores).accepted
    assert check(pa.table({"team": ["a", "b"], "score": [3.1, -1.1]}), IDS, scores).messages == (
        "invalid_submission_values: values must be between -1 and 3 exclusive",
    )
    assert check(pa.table({"team": ["a"], "score": [1.0]}), IDS, scores).messages == (TOO_FEW,)


def test_a_kind_of_ids_that_the_round_lacks_is_refused_where_the_reference_crashes():
    verdict = check(table(TICKERS, id="sedol", prediction="signal"), UNIVERSES["signals"], FLAVOURS["signals"])
    assert verdict.messages == ("invalid_submission_headers: the round has no ids of this kind",)


def test_a_universe_may_repeat_an_id_or_lack_one_in_some_kind():
    universe = {"ticker": ["a", "a", None, "b"]}
    rules = SubmissionRules(Headers(("ticker",)), min_ids=2, fill=0.5)
    verdict = check(table(["b", "a", "x"], [0.1, 0.9, 0.5], id="ticker"), universe, rules)
    assert verdict.unknown == ("x",)
    assert np.array_equal(verdict.predictions, [0.9, 0.9, np.nan, 0.1], equal_nan=True)


def test_a_universe_without_ids_is_the_mistake_of_whoever_asks():
    with pytest.raises(ValueError, match="at least one id"):
        check(table(), [])


def test_what_reading_found_comes_first_and_a_cell_is_blamed_once():
    fault = broken("numeric", "'high'", 2)
    upload = Upload(table(values=[np.nan, *np.linspace(0.1, 0.7, 7)]), (fault,), unread=np.array([0]))
    assert check(upload, IDS).faults == (fault,)
    assert check(Upload(None, (fault,)), IDS).faults == (fault,)


ERAS = {"0935": ["a", "b", "c"], "0936": ["d", "e"], "0937": ["f", "g", "h"]}


def test_past_eras_are_whole_or_not_there():
    whole = check_eras(table(["e", "a", "c", "b", "d"], [0.5, 0.1, 0.3, 0.2, 0.4]), ERAS)
    expected = [0.1, 0.2, 0.3, 0.4, 0.5, *[np.nan] * 3]
    assert whole.accepted
    assert np.array_equal(whole.predictions, expected, equal_nan=True)
    assert check_eras(table(["a", "b", "c", "d", "f"]), ERAS).messages == (
        "invalid_submission_eras: Incomplete eras uploaded: ['0936', '0937']",
    )
    assert check_eras(table(["x", "y"]), ERAS).messages == ("invalid_submission_eras: no era uploaded",)


def test_ids_come_again_in_other_eras_where_dates_tell_them_apart():
    dates = {"20200103": ["a", "b"], "20200110": ["b", "a", "c"]}
    rules = SubmissionRules(Headers(dates=("date",), date_required=True))
    rows = pa.table({"id": ["b", "a", "a", "b", "c"], "prediction": [0.1, 0.2, 0.3, 0.4, 0.5]})
    verdict = check_eras(rows.append_column("date", [[20200103, 20200103, 20200110, 20200110, 20200110]]), dates, rules)
    assert verdict.faults == ()
    assert verdict.predictions.tolist() == [0.2, 0.1, 0.4, 0.3, 0.5]
    twice = rows.append_column("date", [[20200103, 20200103, 20200103, 20200110, 20200110]])
    assert check_eras(twice, dates, rules).messages == (
        "invalid_submission_ids: Duplicates detected in id for live period.",
        "invalid_submission_eras: Incomplete eras uploaded: ['20200110']",
    )
