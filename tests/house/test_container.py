"""The container of the server: what it is made of, how large that is, and how it is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.list_runtime import find_runtime, list_runtime, read_server

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "container" / "Dockerfile"
MEGABYTE = 1_000_000
BASE = 130 * MEGABYTE  # python:3.12-slim for amd64, unpacked; 45 MB as it is fetched
MOST = 400 * MEGABYTE


def list_parts() -> set[str]:
    """The packages that the container installs, besides this one."""
    found: dict[str, Requirement] = {}
    for text in read_server():
        found[text] = Requirement(text)
        find_runtime(found[text], found)
    return set(found)


def measure_files(name: str) -> int:
    """Bytes of the files of an installed package."""
    paths = [Path(str(one.locate())) for one in files(name) or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())


def test_the_requirements_are_those_of_the_lock() -> None:
    written = (ROOT / "container" / "requirements.txt").read_text(encoding="utf-8")
    assert written.split() == "\n".join(list_runtime(read_server())).split()
    assert "--hash" in written


def test_nothing_in_it_trains() -> None:
    assert {"onnxruntime", "starlette", "h11", "pydantic-core"} <= list_parts()
    assert not list_parts() & {"torch", "scipy", "scikit-learn", "optuna", "onnx"}


def test_its_parts_are_below_400_megabytes() -> None:
    sizes = {name: measure_files(name) for name in list_parts()}
    ours = sum(path.stat().st_size for path in (ROOT / "src").rglob("*") if path.is_file())
    assert sizes["onnxruntime"] > 10 * MEGABYTE, "the files are not counted"
    assert BASE + ours + sum(sizes.values()) < MOST


def test_the_dockerfile_is_free_of_lint() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint is not installed; `make install` brings it")
    found = subprocess.run([linter, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_it_runs_as_nobody_and_tells_its_health() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    last = text[text.rindex("FROM ") :]
    assert last.index("USER 10001") < last.index("ENTRYPOINT")
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in last
