"""Over TLS, only those work, and are worked for, who have a certificate of the same authority."""

from __future__ import annotations

from pathlib import Path

import pytest
from clusters import Node

from crowdalpha.execution import trials
from crowdalpha.scoring.problems import InputError
from crowdalpha.settings import open_executor


def certificates(folder: Path) -> dict[str, str]:
    """A new authority with one certificate, as files."""
    from distributed.security import Security

    made = Security.temporary()
    contents = {"ca": made.tls_ca_file, "cert": made.tls_scheduler_cert, "key": made.tls_scheduler_key}
    folder.mkdir()
    for name, content in contents.items():
        (folder / f"{name}.pem").write_text(content)
    return {name: str(folder / f"{name}.pem") for name in contents}


@pytest.mark.slow
def test_a_cluster_with_certificates_works_for_those_who_have_one(tmp_path: Path) -> None:
    import dask

    own, other = certificates(tmp_path / "own"), certificates(tmp_path / "other")
    options = [
        *("--protocol", "tls"),
        *("--tls-ca-file", own["ca"], "--tls-cert", own["cert"], "--tls-key", own["key"]),
    ]
    scheduler = Node("dask_scheduler", "--port", "0", *options, address="127.0.0.1")
    address = scheduler.heard("Scheduler at:")
    worker = Node("dask_worker", address, "--nthreads", "1", *options, address="127.0.0.2")
    try:
        worker.heard("Registered to:")
        assert address.startswith("tls://")
        with dask.config.set(as_client(own)), open_executor(address) as executor:
            assert sorted(executor.run(trials.double, range(3))) == [(0, 0), (1, 2), (2, 4)]
        for settings in (as_client(other), {}):
            with dask.config.set(settings), pytest.raises(InputError) as refused, open_executor(address):
                pass
            assert refused.value.code == "cluster_unreachable"
        with pytest.raises(InputError) as refused, open_executor(address.replace("tls", "tcp")):
            pass
        assert refused.value.code == "cluster_unreachable"
    finally:
        worker.kill()
        scheduler.kill()


def as_client(files: dict[str, str]) -> dict[str, str]:
    """The part of Dask's configuration that a client needs."""
    return {
        "distributed.comm.tls.ca-file": files["ca"],
        "distributed.comm.tls.client.cert": files["cert"],
        "distributed.comm.tls.client.key": files["key"],
    }
