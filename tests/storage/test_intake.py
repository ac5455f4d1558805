"""A hostile file gets its coded refusal within its limits of time and memory, and the next file is read as ever."""

import gc
import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from dataclasses import replace

import hostile
import numpy as np
import pyarrow as pa
import pytest

from crowdalpha.storage import intake
from crowdalpha.storage.intake import LIVE, Limits, judge, read
from crowdalpha.tournament.faults import RULES
from crowdalpha.tournament.headers import Headers
from crowdalpha.tournament.submissions import FLAVOURS, SubmissionRules, check_eras

SECONDS = 1.0
MEMORY = 256 * 2**20
DOOR = """
import json, resource, sys
from pathlib import Path
from crowdalpha.storage.intake import judge

def used():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

with open(sys.argv[1]) as file:
    work = json.load(file)
for name, path in work["files"].items():
    before = used()
    messages = judge(Path(path), work["universe"]).messages
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps([name, messages[0] if messages else "accepted", used() - before, peak]), flush=True)
"""
"""Judges files in a small process of its own, so that the peak of its children is theirs and not this one's.

What it takes off a processor counts, not the clock on the wall: other tests may be running.
"""


def judged(files, folder):
    """Message, seconds of processor and peak memory of the reading process for each file."""
    paths = {}
    for number, (name, content) in enumerate(files.items()):
        paths[name] = str(folder / str(number))
        with open(paths[name], "wb") as file:
            file.write(content)
    work = folder / "work.json"
    work.write_text(json.dumps({"files": paths, "universe": hostile.IDS}))
    done = subprocess.run([sys.executable, "-c", DOOR, str(work)], capture_output=True, text=True, check=True)
    return {name: rest for name, *rest in map(json.loads, done.stdout.splitlines())}


def said(rule):
    """How the message of a rule begins."""
    return f"{RULES[rule].code}: {RULES[rule].text.split('{')[0]}"


GROUPS = [hostile.wrappings, hostile.texts, hostile.types, hostile.forgeries]


@pytest.mark.parametrize("group", GROUPS)
def test_every_hostile_file_gets_its_refusal_in_little_time_and_memory(group, tmp_path):
    files = group()
    assert len(files) >= 20
    found = judged({name: content for name, (_, content) in files.items()} | {"good": hostile.GOOD.encode()}, tmp_path)
    wrong = {name: found[name][0] for name, (rule, _) in files.items() if not found[name][0].startswith(said(rule))}
    assert wrong == {}
    assert found["good"][0] == "accepted"
    slow = {name: seconds for name, (_, seconds, _) in found.items() if seconds > SECONDS}
    assert slow == {}
    assert max(peak for _, _, peak in found.values()) < MEMORY


def test_there_are_more_than_a_hundred_kinds_of_hostile_files_and_all_codes_of_files_among_them():
    rules = [rule for group in GROUPS for rule, _ in group().values()]
    assert len(rules) > 100
    files = {name for name, rule in RULES.items() if rule.code == "invalid_submission_file"}
    assert files <= set(rules)


@pytest.mark.slow
def test_no_change_of_bytes_does_harm(tmp_path):
    rng = random.Random(3)
    files = {}
    for number in range(150):
        table = hostile.table(rng.choice([1, 20, 300]))
        options = {"use_dictionary": rng.random() < 0.5, "compression": rng.choice(["none", "snappy", "zstd"])}
        content = bytearray(hostile.parquet(table, data_page_version=rng.choice(["1.0", "2.0"]), **options))
        for _ in range(rng.choice([1, 1, 3, 20])):
            content[rng.randrange(len(content))] = rng.randrange(256)
        files[str(number)] = bytes(content)
    found = judged(files, tmp_path)
    assert len(found) == len(files)
    assert max(seconds for _, seconds, _ in found.values()) < SECONDS
    assert max(peak for _, _, peak in found.values()) < MEMORY


@pytest.mark.parametrize("size", [20 * hostile.MILLION + 1, 10 * 2**30])
def test_a_file_that_is_too_large_is_refused_unread(size, tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(size)
    before = time.process_time()
    assert judge(path, hostile.IDS).messages == ("invalid_submission_file: larger than 20000000 bytes",)
    assert time.process_time() - before < 0.1


def test_names_of_files_play_no_part(tmp_path):
    for name in ("a.csv.gz", "..%2f..%2fpasswd", "x.parquet", "-rf", "caf\u00e9\n.zip"):
        path = tmp_path / name
        path.write_text(hostile.GOOD)
        assert judge(path, hostile.IDS).accepted


def test_a_full_file_of_a_round_is_read_to_the_bit():
    rng = np.random.default_rng(0)
    ids, values = [f"n{i:015x}" for i in range(20_000)], rng.random(20_000)
    table = pa.table({"id": ids, "prediction": values})
    text = "id,prediction\n" + "".join(f"{name},{value!r}\n" for name, value in zip(ids, values.tolist(), strict=True))
    groups = hostile.parquet(table, row_group_size=3000, compression="zstd")
    for content in (text.encode(), hostile.parquet(table), groups):
        verdict = judge(content, ids[::-1])
        assert verdict.accepted
        assert np.array_equal(verdict.predictions, values[::-1])


def test_the_table_has_the_two_columns_that_count_and_their_lines():
    upload = read(b"date,ticker,data_type,signal\n1,a,x,0.5\n\n2,b,y,\n", FLAVOURS["signals"])
    assert upload.table.schema == pa.schema({"ticker": pa.large_string(), "signal": pa.float64()})
    assert upload.table["ticker"].to_pylist() == ["a", "b"]
    assert upload.lines.tolist() == [2, 4]


def test_dates_are_read_where_they_tell_eras_apart():
    rules = SubmissionRules(Headers(dates=("date",), date_required=True))
    eras = {"2020-01-03": ["a", "b"], "2020-01-10": ["a", "b"]}
    text = "date,id,prediction\n2020-01-03,a,0.1\n2020-01-03,b,0.2\n2020-01-10,b,0.3\n2020-01-10,a,0.4\n"
    days = pa.array(["2020-01-03"] * 2 + ["2020-01-10"] * 2).cast(pa.date32())
    table = pa.table({"date": days, "id": list("abba"), "prediction": [0.1, 0.2, 0.3, 0.4]})
    stamps = table.set_column(0, "date", days.cast(pa.timestamp("ns")))
    for content in (text.encode(), hostile.parquet(table), hostile.parquet(stamps)):
        verdict = check_eras(read(content, rules), eras, rules)
        assert verdict.faults == ()
        assert verdict.predictions.tolist() == [0.1, 0.2, 0.4, 0.3]


def test_words_for_nothing_are_ids_where_the_round_says_so():
    content = b"id,prediction\nNA,0.1\nnull,0.2\n"
    assert judge(content, ["NA", "null"]).accepted
    assert judge(content, ["a", "b"]).messages[0] == (
        "invalid_submission_ids: Submission must not contain NaNs in the id column."
    )


def test_limits_are_data():
    small = Limits(bytes=1000, rows=5, line=50, id_length=3)
    for content, rule in (
        (hostile.GOOD, "rows"),
        (hostile.GOOD * 9, "large"),
        ("id,prediction\n" + "x" * 60 + ",1\n", "line"),
        ("id,prediction\nabcd,0.5\n", "id_long"),
    ):
        assert judge(content.encode(), hostile.IDS, limits=small).messages[0].startswith(said(rule))


def test_limits_that_leave_no_room_to_read_are_refused():
    with pytest.raises(ValueError, match="memory must be"):
        Limits(memory=100 * 2**20)


def test_a_reader_that_hangs_is_stopped_by_the_clock(monkeypatch):
    hang = "import sys, time; sys.stdout.write('ready\\n'); sys.stdout.flush(); time.sleep(60)"
    monkeypatch.setattr(intake, "BOOT", hang)
    verdict = judge(hostile.GOOD.encode(), hostile.IDS, limits=replace(LIVE, seconds=1.0))
    assert verdict.messages[0].startswith(said("costly"))


def test_a_reader_that_works_too_long_is_stopped_by_the_kernel():
    verdict = judge(
        ("id,prediction\n" + "x,0.5\n" * 20_000).encode(), hostile.IDS, limits=replace(LIVE, cpu_seconds=0.001)
    )
    assert verdict.faults[0].reason == "more than 0.001 s of work"


def test_a_reader_opens_nothing_once_it_reads(monkeypatch):
    opening = "import crowdalpha.storage.reading as r; r.read_csv = lambda *_: open('/etc/hostname'); main(order)"
    try_it = intake.BOOT.replace("main(order)", opening)
    monkeypatch.setattr(intake, "BOOT", try_it)
    assert read(hostile.GOOD.encode()).faults[0].reason == "a reader that gave up"


def test_a_reader_that_was_taken_over_is_not_believed(monkeypatch):
    for answer in (
        '{"rule": "no such rule", "found": "", "row": 0, "words": {}}',
        '{"columns": ["id", "prediction", null], "rows": 5, "cells": [], "sizes": [8, 1, 16, 1, 8, 0]}',
        '{"columns": "none", "rows": 5}',
        "[]",
        "not JSON",
    ):
        monkeypatch.setattr(intake, "BOOT", f"print('ready'); print({answer!r})")
        assert judge(hostile.GOOD.encode(), hostile.IDS).messages == ("invalid_submission_file: the file is damaged",)


def test_a_reader_that_cannot_start_is_not_the_fault_of_the_file(monkeypatch):
    monkeypatch.setattr(intake, "BOOT", "import no_such_module")
    with pytest.raises(intake.IntakeError, match="no_such_module"):
        judge(hostile.GOOD.encode(), hostile.IDS)


def test_the_reader_inherits_no_secret_and_no_descriptor(monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    look = (
        "import os; print('ready'); print('{}'); "
        "assert 'DATABASE_PASSWORD' not in os.environ; assert os.listdir('/proc/self/fd')[3:] in ([], ['3'])"
    )
    monkeypatch.setattr(intake, "BOOT", look)
    with open(os.devnull, "rb") as held:
        os.set_inheritable(held.fileno(), True)
        answer, code = intake._answer_of_process(held, {"seconds": 60})
    assert (answer, code) == (b"{}\n", 0)


def test_files_are_read_side_by_side_and_leave_nothing_open():
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    verdicts = []
    contents = [hostile.GOOD.encode(), b"id,prediction\n" + b"x" * 5000, b"PK\x03\x04", b""] * 3
    threads = [
        threading.Thread(target=lambda each=each: verdicts.append(judge(each, hostile.IDS))) for each in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(verdict.accepted for verdict in verdicts) == 3
    assert len(verdicts) == 12
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_machine_of_these_tests_has_limits_to_set():
    assert {"RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_FSIZE"} <= set(dir(resource))
