"""Every operation text of every numerapi that is spoken here is accepted; what the server does not do is said so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from operations import recorded

from crowdalpha.server.catalogue import Refusal
from crowdalpha.server.graphql.tolerant import document_of

NOT_HERE = {
    "model_upload": {"computePickleUploadAuth", "createComputePickleUpload"},
    "v3_stake_auth": {"v3StakeAuth"},
    "v3_stake_config": {"v3StakeConfig"},
    "v3_stake_round": {"v3StakeRound"},
    "v3_stake_claim": {"v3StakeClaim"},
}
"""Methods for what this server does not do: running models, and stakes on a chain."""
VERSIONS = {"2.20.8": 38, "2.23.1": 45, "2.24.0": 45, "3.1.1": 45}
"""How many texts there are at least, lest the recorder miss some."""


def require_all_accepted(texts: dict[str, set[str]]) -> None:
    for text, methods in texts.items():
        names = {method.partition(".")[2] for method in methods}
        if names <= NOT_HERE.keys():
            with pytest.raises(Refusal, match="is not supported by this server") as told:
                document_of(text)
            assert told.value.message.split()[0] in set.union(*(NOT_HERE[name] for name in names))
        else:
            document_of(text)


def test_every_text_of_the_installed_numerapi_is_accepted() -> None:
    texts = recorded()
    assert len(texts) >= 45
    require_all_accepted(texts)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_every_text_of_other_versions_of_numerapi_is_accepted(version: str, tmp_path: Path) -> None:
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), f"numerapi=={version}"]
    subprocess.run([sys.executable, *install], check=True)
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(Path(__file__).parent)!r}]; import numerapi; "
    program += f"assert numerapi.__file__.startswith({str(tmp_path)!r}); import json, operations; "
    program += "print(json.dumps({t: sorted(m) for t, m in operations.recorded().items()}))"
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    texts = {text: set(methods) for text, methods in json.loads(found.stdout).items()}
    assert len(texts) >= VERSIONS[version]
    require_all_accepted(texts)
