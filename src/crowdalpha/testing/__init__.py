"""Contract tests to inherit: whoever writes a store proves it by overriding one fixture, with no exemptions.

    class TestMyStore(TournamentStoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

They need pytest and Hypothesis, which crowdalpha itself does not.
"""

import pytest

pytest.register_assert_rewrite("crowdalpha.testing.stores", "crowdalpha.testing.files")

from crowdalpha.testing.files import PredictionStoreContract  # noqa: E402
from crowdalpha.testing.stores import TournamentStoreContract  # noqa: E402

__all__ = ["PredictionStoreContract", "TournamentStoreContract"]
