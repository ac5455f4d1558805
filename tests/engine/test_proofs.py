"""Any round can be recomputed from its bundle, and nothing in it can be changed unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from seasons import MODELS, ROUNDS, START, WEEK, new, play, weekly

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.memory import MemoryStore
from crowdalpha.tournament import bundles, shares
from crowdalpha.tournament.records import Score
from crowdalpha.tournament.verification import verify

LATER = START + 20 * WEEK
N = 3


@pytest.fixture(scope="module")
def season() -> Engine:
    """Six rounds with a benchmark."""
    engine = new(MemoryStore(), metrics=("corr", "mmc2", "numerai_corr", "mmc2024", "bmc", "fnc"))
    engine.add_model("market", "ada", "The market", START, benchmark=True)
    play(engine)
    return engine


@pytest.fixture(scope="module")
def bundle(season: Engine) -> bytes:
    return season.bundle(N)


def test_every_round_of_a_season_is_proven(season: Engine) -> None:
    for number in range(1, ROUNDS + 1):
        assert season.verify(number) == ()


def test_a_bundle_is_verified_without_the_tournament_and_has_the_same_bytes_every_time(
    season: Engine, bundle: bytes
) -> None:
    assert verify(bundles.read(bundle)) == ()
    assert season.bundle(N) == bundle
    assert bundles.write(bundles.read(bundle)) == bundle


def flipped(part: bytes, place: int = -1) -> bytes:
    place %= len(part)
    return part[:place] + bytes([part[place] ^ 1]) + part[place + 1 :]


def ranks_of(parts: dict[str, bytes], model: str) -> str:
    sent = [json.loads(line) for line in parts["submissions.jsonl"].splitlines()]
    return f"{next(s['predictions'] for s in sent if s['model'] == model)}.bin"


def first_line(field: str, edit: Callable[[str], str]) -> Callable[[bytes], bytes]:
    def edited(part: bytes) -> bytes:
        first, *rest = part.splitlines(keepends=True)
        record = json.loads(first)
        record[field] = edit(record[field])
        return b"".join([bundles.canonical(record) + b"\n", *rest])

    return edited


def tampered(bundle: bytes, name: str, edit: Callable[[bytes], bytes]) -> bytes:
    parts = bundles.unpack(bundle)
    name = ranks_of(parts, name) if name in MODELS else name
    return bundles.pack(parts | {name: edit(parts[name])})


def in_about(field: str, edit: Callable[[str], str]) -> Callable[[bytes], bytes]:
    def edited(part: bytes) -> bytes:
        about = json.loads(part)
        about[field] = edit(about[field])
        return bundles.canonical(about)

    return edited


def other_digit(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def last_bit(text: str) -> str:
    return np.nextafter(float.fromhex(text), 2.0).item().hex()


@pytest.mark.parametrize(
    ("name", "edit", "number", "code"),
    [
        ("ada", lambda part: flipped(part, 7), "corr of ada on day 1", "predictions_changed"),
        ("at_risk.jsonl", first_line("amount", lambda amount: amount + 1), "stake at risk of ada", "stakes_changed"),
        ("targets/21.bin", lambda part: flipped(part, 6), "corr of ada on the final day", "target_changed"),
        ("targets/2.bin", lambda part: flipped(part, 6), "corr of ada on day 2", "target_changed"),
        ("about.json", in_about("secret", other_digit), "mmc2 of ada on the final day", "secret_changed"),
        ("scores.jsonl", first_line("value", last_bit), "corr of ada on day 1", "scores_changed"),
        ("payouts.jsonl", first_line("paid", lambda paid: paid + 1), "payout of ada", "payouts_changed"),
    ],
    ids=["a prediction", "a stake", "the final target", "a daily target", "the seed", "a score", "a payout"],
)
def test_one_changed_bit_is_found_and_the_number_named(
    bundle: bytes, name: str, edit: Callable[[bytes], bytes], number: str, code: str
) -> None:
    found = verify(bundles.read(tampered(bundle, name, edit)))
    assert found[0].code == "number_differs"
    assert found[0].where == number
    assert code in {problem.code for problem in found}


def codes(bundle: bytes) -> set[str]:
    """What is found wrong with a bundle: by reading it, or by computing it again."""
    try:
        return {problem.code for problem in verify(bundles.read(bundle))}
    except InputError as refused:
        return {problem.code for problem in refused.problems}


def test_no_byte_of_any_part_can_be_changed_unseen(bundle: bytes) -> None:
    rng = np.random.default_rng(0)
    parts = bundles.unpack(bundle)
    for name, part in parts.items():
        checked = part.index(b'"version"') if name == "about.json" else len(part)
        for place in rng.integers(0, checked, 6 if part else 0).tolist():
            assert codes(bundles.pack(parts | {name: flipped(part, place)})), (name, place)


@pytest.mark.parametrize("name", ["about.json", "universe.json", "events.jsonl", "scores.jsonl", "targets/21.bin"])
def test_a_part_that_is_missing_is_missed(bundle: bytes, name: str) -> None:
    parts = {other: part for other, part in bundles.unpack(bundle).items() if other != name}
    assert codes(bundles.pack(parts))


@pytest.mark.parametrize("content", [b"", b"PK", b"\0" * 99, b'{"a": 1}'])
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(InputError) as refused:
        bundles.read(content)
    assert refused.value.code == "bundle_unreadable"


def test_a_damaged_file_is_refused_or_says_the_same(bundle: bytes) -> None:
    """A byte of the zip that holds nothing, such as a time, may change."""
    rng = np.random.default_rng(1)
    damaged = [flipped(bundle, place) for place in rng.integers(0, len(bundle), 60).tolist()]
    whole = [content for content in damaged if not codes(content)]
    assert len(whole) < 15
    assert {bundles.write(bundles.read(content)) for content in whole} <= {bundle}


def test_a_dropped_or_an_added_submission_is_named(bundle: bytes) -> None:
    evidence = bundles.read(bundle)
    first, *rest = evidence.submissions
    assert "submission_missing" in {p.code for p in verify(replace(evidence, submissions=tuple(rest)))}
    twice = (*evidence.submissions, replace(first, id="ghost"))
    assert "submission_added" in {p.code for p in verify(replace(evidence, submissions=twice))}


def test_an_operator_who_changes_stakes_and_all_that_follows_is_betrayed_by_the_log(season: Engine) -> None:
    """Numbers that agree with each other do not help: the log was published."""
    evidence = bundles.read(season.bundle(N))
    double = tuple(replace(risk, amount=2 * risk.amount) for risk in evidence.at_risk)
    payouts = tuple(replace(p, at_risk=2 * p.at_risk, owed=2 * p.owed, paid=2 * p.paid) for p in evidence.payouts)
    found = {problem.code for problem in verify(replace(evidence, at_risk=double, payouts=payouts))}
    assert {"stakes_changed", "payouts_changed"} <= found


def test_a_round_that_runs_cannot_be_proven_yet() -> None:
    engine = new(MemoryStore())
    with pytest.raises(InputError) as refused:
        engine.bundle(1)
    assert refused.value.code == "not_resolved"


@pytest.mark.parametrize("model", [*MODELS, "market"])
def test_a_participant_recomputes_the_own_score_and_payout(season: Engine, model: str) -> None:
    share = shares.read(season.bundle_for(N, model))
    assert shares.verify_share(share) == ()
    assert share.submission.model == model
    assert len(share.pairs) == weekly(N).final_bags


def test_a_share_with_another_score_payout_or_prediction_is_found_out(season: Engine) -> None:
    share = shares.read(season.bundle_for(N, "ada"))
    score = next(i for i, s in enumerate(share.scores) if s.metric == "mmc2")
    scores = list(share.scores)
    scores[score] = replace(scores[score], value=scores[score].value + 1e-9)
    ranks = share.ranks.copy()
    ranks[[0, 1]] = ranks[[1, 0]]
    assert share.payout is not None
    for changed, where in [
        (replace(share, scores=tuple(scores)), "mmc2 of ada"),
        (replace(share, ranks=ranks), "corr of ada"),
        (replace(share, payout=replace(share.payout, owed=share.payout.owed + 1)), "payout of ada"),
        (replace(share, universe=b"[]"), "universe"),
    ]:
        assert where in {problem.where for problem in shares.verify_share(changed)}


def test_a_share_holds_nothing_that_another_model_has_sent_in(season: Engine) -> None:
    mine, whole = bundles.unpack(season.bundle_for(N, "ada")), bundles.unpack(season.bundle(N))
    for other in ("bob", "cy", "market"):
        assert whole[ranks_of(whole, other)] not in mine.values()
        assert other.encode() not in mine["about.json"]


def test_who_did_not_take_part_has_no_share(season: Engine) -> None:
    with pytest.raises(InputError) as refused:
        season.bundle_for(1, "market")
    assert refused.value.code == "not_scored"


def test_rescoring_is_kept_beside_and_moves_no_money(season: Engine) -> None:
    with season.store.reading() as work:
        before = (work.balances(), work.find(Score, round=N, rule_set=weekly(N).rule))
    other = season.rescore(N, "corr", now=LATER)
    again = season.rescore(N, "corr", now=LATER)
    with season.store.reading() as work:
        assert (work.balances(), work.find(Score, round=N, rule_set=weekly(N).rule)) == before
        kept = work.find(Score, round=N, rule_set="corr")
    assert repr(other) == repr(again)
    assert sorted(map(repr, kept)) == sorted(map(repr, other.scores))
    assert season.verify(N) == ()


def test_ties_by_id_are_scored_beside_ties_that_share(season: Engine) -> None:
    other = season.rescore(N, weekly(N).rule, ties="first", now=LATER)
    assert other.rule_set == "corr-or-twice-mmc, ties first"
