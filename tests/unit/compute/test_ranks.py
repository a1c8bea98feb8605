"""Processes that are to be joined, of which some never come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch.distributed as dist

import smallvision
from smallvision.compute.ranks import join_ranks
from smallvision.errors import SettingError

ALONE = """
from smallvision.compute.ranks import join_ranks
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("waits", flush=True)
with join_ranks():
    pass
"""


@pytest.mark.parametrize("variables", [{"RANK": "2"}, {"RANK": "x"}, {}])
def test_a_process_that_has_no_number_among_the_others_is_refused(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match="2 processes cannot be joined"), join_ranks():
        pass
    assert not dist.is_initialized()


def test_a_signal_ends_a_process_that_waits_for_the_others() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ALONE],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(smallvision.__file__).parents[1]),
            "WORLD_SIZE": "2",
            "RANK": "0",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": "0",
        },
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(2)  # no sign tells that it waits in the library
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
