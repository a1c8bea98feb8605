"""Signals outside training: obeyed at once, but not amid an import."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smallvision.cli.main import terminate

LOSES_EXCEPTIONS = """
import os, signal, time
done = False
try:
    os.kill(os.getpid(), signal.{name})
    time.sleep(0.2)
    done = True
except BaseException:
    pass
"""


@pytest.fixture(params=["SIGTERM", "SIGINT"])
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """A signal with the handler of the command line."""
    number = getattr(signal, request.param)
    before = signal.signal(number, terminate)
    yield request.param
    signal.signal(number, before)


def give(name: str) -> None:
    os.kill(os.getpid(), getattr(signal, name))
    time.sleep(1)


def test_a_signal_is_obeyed_at_once(name: str) -> None:
    began = time.perf_counter()
    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        give(name)
    assert time.perf_counter() - began < 0.9
    assert name == "SIGINT" or caught.value.args == (143,)


def import_and_wait() -> None:
    """Import the module, and wait for the signal; check that the module is whole."""
    try:
        importlib.import_module("loses_exceptions")
        time.sleep(1)
    finally:
        assert sys.modules.pop("loses_exceptions").done


def test_an_import_is_not_broken_by_a_signal(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that loses the exception would go on with a module that is not whole."""
    (tmp_path / "loses_exceptions.py").write_text(LOSES_EXCEPTIONS.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        import_and_wait()


def test_a_long_import_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)\n"
    )
    command = (
        "import signal\nfrom smallvision.cli import main\nmain.PATIENCE = 0.2\n"
        "signal.signal(signal.SIGTERM, main.terminate)\nimport endless"
    )
    done = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, timeout=50, check=False)
    assert done.returncode == 143
