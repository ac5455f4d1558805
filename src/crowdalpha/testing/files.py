"""The contract of a `PredictionStore`, as tests."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.testing.stores import THREADS, at_once, on_one_store
from crowdalpha.tournament.ports import PredictionStore, TakenError

BAD_NAMES = [
    *("", ".", "..", "/", "../x", "a/../b", "/etc/passwd", "a//b", "a/", "/a", ".hidden", "a/.hidden", "-a", "~"),
    *("A", "é", "a b", "a\\b", "a\0b", "a\n", "c:x", "a*", "%2e%2e", "a.bin", "a.bin/b", "x" * 200, "x/" * 300 + "x"),
]
FRESH = count()


class PredictionStoreContract:
    """Inherit it and override `files` with an empty store."""

    @pytest.fixture
    def files(self) -> PredictionStore:
        """The store to be proven, empty."""
        raise TypeError("override this fixture with the store to be proven")

    @given(content=st.binary(max_size=300))
    @settings(on_one_store, max_examples=25)
    def test_what_is_written_is_read_and_told_by_its_hash(self, files: PredictionStore, content: bytes) -> None:
        name = f"any/{next(FRESH)}"
        assert files.write(name, content) == sha256(content).hexdigest()
        assert files.read(name) == content

    def test_megabytes_come_back_whole(self, files: PredictionStore) -> None:
        content = bytes(range(256)) * 2**14
        files.write("large", content)
        assert files.read("large") == content

    def test_a_name_that_was_never_written_is_a_key_error(self, files: PredictionStore) -> None:
        files.write("known/a", b"")
        for name in ("unknown", "known", "known/b", "known/a/b"):
            with pytest.raises(KeyError):
                files.read(name)

    def test_the_same_again_is_the_same(self, files: PredictionStore) -> None:
        assert files.write("twice", b"content") == files.write("twice", b"content")
        assert files.read("twice") == b"content"

    @pytest.mark.parametrize("other", [b"", b"Content", b"content and more"])
    def test_a_name_holds_its_first_content_and_no_other(self, files: PredictionStore, other: bytes) -> None:
        files.write("once", b"content")
        with pytest.raises(TakenError):
            files.write("once", other)
        assert files.read("once") == b"content"

    def test_names_are_listed_by_their_beginning_in_order(self, files: PredictionStore) -> None:
        names = ["target/2/final", "target/10/final", "target/1/001", "target", "targets", "a", "a.b/c", "a-b", "a/b"]
        for name in names:
            files.write(name, name.encode())
        assert list(files.names()) == sorted(names)
        for prefix in ("t", "target", "target/", "target/1", "target/1/", "a", "a/", "b", "target/1/001", "../"):
            assert list(files.names(prefix)) == sorted(name for name in names if name.startswith(prefix))
        assert all(files.read(name) == name.encode() for name in names)

    def test_an_empty_store_has_no_names(self, files: PredictionStore) -> None:
        assert list(files.names()) == []

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_name_that_could_lead_astray_is_refused(self, files: PredictionStore, name: str) -> None:
        for deed in (partial(files.write, name, b"content"), partial(files.read, name)):
            with pytest.raises(InputError) as refused:
                deed()
            assert refused.value.code == "bad_name"
        assert list(files.names()) == []

    def test_of_many_who_write_one_name_all_succeed_with_the_same_bytes_and_one_with_different_ones(
        self, files: PredictionStore
    ) -> None:
        hashes = at_once(*[partial(files.write, "deep/in/same", b"same" * 9999)] * THREADS)
        assert set(hashes) == {sha256(b"same" * 9999).hexdigest()}
        contents = [bytes([n]) * 99999 for n in range(THREADS)]
        outcomes = at_once(*[partial(files.write, "deep/in/other", content) for content in contents])
        assert sorted(isinstance(outcome, TakenError) for outcome in outcomes) == [False] + [True] * (THREADS - 1)
        assert sha256(files.read("deep/in/other")).hexdigest() in outcomes
        assert list(files.names()) == ["deep/in/other", "deep/in/same"]

    def test_whoever_reads_meanwhile_sees_all_or_nothing(self, files: PredictionStore) -> None:
        content = b"whole" * 10**6

        def look() -> list[int]:
            seen: list[int] = []
            for _ in range(10_000):
                with suppress(KeyError):
                    seen.append(len(files.read("large")))
                if len(seen) == 5:
                    break
            return seen

        _, *seen = at_once(partial(files.write, "large", content), look, look)
        assert set().union(*seen) <= {len(content)}
