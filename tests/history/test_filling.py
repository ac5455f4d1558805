"""A history is scored as far as it is not yet: what is there is kept, what changed is scored, kills cost time alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from packs import crowd, in_one_piece, packed

from crowdalpha.execution.local import Serial, Threads
from crowdalpha.history import Rule, backfill, filling, packed_eras, write_era
from crowdalpha.history.eras import EraName
from crowdalpha.scoring.problems import InputError

ERAS = range(1, 9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in ERAS:
        packed(tmp_path, label)
    return tmp_path


def expected(rule: Rule, labels=ERAS) -> list[tuple[object, ...]]:
    rows = []
    for label in labels:
        scores = in_one_piece(crowd(label, 7, 30), label, rule)
        columns = (scores[name].tolist() for name in rule.metrics)
        rows += [(label, f"model{j:06d}", *values) for j, values in enumerate(zip(*columns, strict=True))]
    return rows


def rows_of(done) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in done.table().columns), strict=True))


@pytest.mark.parametrize("executor", [Serial(), Threads(3)])
@pytest.mark.parametrize("rule", [Rule(), Rule(("mmc2",), bags=0), Rule(bags=3, seed=b"x", ties="first")])
def test_every_era_gets_the_scores_of_one_piece(folder: Path, executor: Serial | Threads, rule: Rule) -> None:
    done = backfill(executor, folder, rule)
    assert done.computed == done.eras == tuple(ERAS)
    assert rows_of(done) == expected(rule)


def test_what_is_there_is_not_scored_again_and_one_changed_era_costs_one_era(folder: Path) -> None:
    first = backfill(Serial(), folder)
    assert backfill(Serial(), folder).computed == ()
    packed(folder, 5, seed=99)
    changed = backfill(Serial(), folder)
    assert changed.computed == (5,)
    assert [a == b for a, b in zip(first.paths, changed.paths, strict=True)] == [label != 5 for label in ERAS]
    packed(folder, 5)
    assert backfill(Serial(), folder) == first.__class__(first.eras, first.files, ())


def test_another_rule_scores_all_and_the_same_rule_said_otherwise_scores_nothing(folder: Path) -> None:
    backfill(Serial(), folder)
    for other in (Rule(("corr",)), Rule(bags=19), Rule(seed=1), Rule(ties="first"), Rule(("mmc2", "corr"))):
        assert len(backfill(Serial(), folder, other).computed) == len(ERAS)
    assert backfill(Serial(), folder, Rule(seed="0")).computed == ()


def test_progress_begins_where_the_last_run_ended(folder: Path) -> None:
    backfill(Serial(), folder)
    packed(folder, 3, seed=98)
    packed(folder, 4, seed=99)
    seen: list[tuple[int, int]] = []
    backfill(Serial(), folder, progress=lambda *told: seen.append(told))
    assert seen == [(6, 8), (7, 8), (8, 8)]


def test_features_count_for_the_rules_that_ask_for_them(tmp_path: Path) -> None:
    found, ids = crowd(1, 3, 30), [f"id{i:02d}" for i in range(30)]
    for features in ({"f": np.arange(30)}, {"f": np.arange(30) % 4}):
        write_era(tmp_path, 1, [found["predictions"]], ["a", "b", "c"], found["stakes"], ids, found["target"], features)
        plain, neutral = backfill(Serial(), tmp_path), backfill(Serial(), tmp_path, Rule(("fnc",)))
        assert neutral.computed == (1,)
    assert plain.computed == ()


def test_whoever_is_killed_goes_on_where_they_were(folder: Path) -> None:
    code = f"""
import os, signal
from crowdalpha.execution.local import Serial
from crowdalpha.history import backfill
backfill(Serial(), {str(folder)!r}, progress=lambda done, _: done == 3 and os.kill(os.getpid(), signal.SIGKILL))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    done = backfill(Serial(), folder)
    assert done.computed == tuple(ERAS)[3:]
    assert rows_of(done) == expected(Rule())


def test_an_era_that_is_killed_while_it_is_packed_stays_what_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = backfill(Serial(), folder)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        packed(folder, 5, seed=99)
    monkeypatch.undo()
    assert backfill(Serial(), folder) == before.__class__(before.eras, before.files, ())
    packed(folder, 5, seed=99)
    assert len(list((folder / "eras" / "era-5").iterdir())) == 3


def test_of_an_era_that_was_killed_between_writing_and_deleting_the_last_word_counts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name for path in (folder / "eras").glob("*.json")}
    monkeypatch.setattr(Path, "unlink", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        packed(folder, 5, seed=99)
    monkeypatch.undo()
    (new,) = {path.name for path in (folder / "eras").glob("*.json")} - before
    assert packed_eras(folder)[4] == EraName.of(str(folder / "eras"), new).open()
    packed(folder, 5, seed=99)
    assert len(list((folder / "eras").glob("*.json"))) == len(ERAS)


def test_eras_keep_their_names_whatever_they_are_called(tmp_path: Path) -> None:
    labels = ["7", "-7", "a.b", "a.b.c", "a", "era-1", "2024/w1", "%37", "é ", "."]
    for label in labels:
        write_era(tmp_path, label, [np.eye(3)], ["a", "b", "c"], [1, 1, 1], ["x", "y", "z"], [0, 0.5, 1])
    assert backfill(Serial(), tmp_path).eras == tuple(sorted(labels, key=str.encode))
    write_era(tmp_path, 7, [np.eye(3)], ["a", "b", "c"], [1, 1, 1], ["x", "y", "z"], [0, 0.5, 1])
    assert {"7", 7} < set(backfill(Serial(), tmp_path).eras)
    with pytest.raises(InputError, match="bad_era"):
        write_era(tmp_path, "x" * 151, [np.eye(3)], ["a", "b", "c"], [1, 1, 1], ["x", "y", "z"], [0, 0.5, 1])


def test_huge_eras_are_spread_over_the_workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "HUGE", 1)
    assert rows_of(backfill(Threads(3), folder)) == expected(Rule())


def test_metrics_that_compare_models_with_each_other_are_worked_out_in_one_piece(folder: Path) -> None:
    from crowdalpha import scoring

    found = backfill(Serial(), folder, Rule(("mmc1", "mcwnm"), bags=0)).table()
    one = crowd(1, 7, 30)
    assert found["mcwnm"].to_pylist()[:7] == scoring.mcwnm(one["predictions"]).tolist()
    assert found["mmc1"].to_pylist()[:7] == scoring.mmc1(one["predictions"], one["stakes"], one["target"]).tolist()


def test_eras_that_cannot_be_scored_are_refused_together_when_all_others_are_kept(folder: Path) -> None:
    for label in (2, 6):
        write_era(folder, label, [np.eye(3)], ["a", "b", "c"], [0, 0, 0], ["x", "y", "z"], [0, 0.5, 1])
    with pytest.raises(InputError) as refused:
        backfill(Serial(), folder)
    assert [(problem.code, problem.where) for problem in refused.value.problems] == [
        ("no_stake", "era 2"),
        ("no_stake", "era 6"),
    ]
    packed(folder, 2), packed(folder, 6)
    assert backfill(Serial(), folder).computed == (2, 6)


@pytest.mark.parametrize("kind", ["ranks", "models", "ids"])
def test_files_that_are_not_what_they_were_are_named_by_a_check(folder: Path, kind: str) -> None:
    path = packed_eras(folder)[2].path(kind)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        backfill(Serial(), folder, check=True)
    assert [(problem.code, problem.where) for problem in refused.value.problems] == [("era_spoiled", str(path))]
    path.unlink()
    with pytest.raises(InputError, match="no file"):
        backfill(Serial(), folder)


def test_what_is_no_history_is_refused(tmp_path: Path) -> None:
    for content, code in ((None, "no_eras"), ("{}", "not_an_era"), ('{"format": 2}', "not_an_era")):
        if content is not None:
            (tmp_path / "eras").mkdir(exist_ok=True)
            (tmp_path / "eras" / "era-1.core.none.json").write_text(content)
        with pytest.raises(InputError) as refused:
            backfill(Serial(), tmp_path)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"metrics": ("exposure_std",)}, "not_from_ranks"),
        ({"metrics": ("bmc",)}, "not_from_ranks"),
        ({"metrics": ()}, "no_metrics"),
        ({"metrics": ("nonsense",)}, "unknown_metric"),
        ({"bags": -1}, "bad_bags"),
        ({"seed": 0.5}, "bad_seed"),
        ({"ties": "both"}, "bad_ties"),
    ],
)
def test_rules_that_ranks_cannot_follow_are_refused(choices: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as refused:
        Rule(**choices)
    assert refused.value.code == code


def test_two_who_backfill_at_once_end_with_the_same(folder: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: backfill(Threads(2), folder), range(2))
    assert first.files == second.files
    assert rows_of(first) == expected(Rule())
    assert {path.suffix for path in (folder / "scores").iterdir()} == {".arrow"}
