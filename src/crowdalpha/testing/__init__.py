"""Contract tests to inherit: whoever writes a store or an executor proves it by overriding one fixture, no exemptions.

    class TestMyStore(TournamentStoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

They need pytest and Hypothesis, which crowdalpha itself does not.
"""

import pytest

pytest.register_assert_rewrite(*(f"crowdalpha.testing.{name}" for name in ("stores", "files", "executors")))

from crowdalpha.testing.executors import ExecutorContract  # noqa: E402
from crowdalpha.testing.files import PredictionStoreContract  # noqa: E402
from crowdalpha.testing.stores import TournamentStoreContract  # noqa: E402

__all__ = ["ExecutorContract", "PredictionStoreContract", "TournamentStoreContract"]
