"""The lock, the lower bounds, the table that gives their reasons, and the bill of materials."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools.list_runtime import PACKAGE, find_runtime, list_runtime, read_lock

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TORCH = re.search(r"^TORCH := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
assert TORCH is not None
LOCKED = {
    name: Version(entry.split()[0].partition("==")[2]) for name, entry in read_lock(LOCK).items()
}
LOCKED["torch"] = Version(TORCH[1].partition("==")[2])


def read_bounds() -> list[tuple[str, Version]]:
    """The packages and versions of the table."""
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \|", page, re.MULTILINE)
    return [(name, Version(version)) for name, version in rows]


def list_direct() -> dict[str, Requirement]:
    """What pyproject.toml asks for, with the extras that a developer's environment has."""
    extras = PROJECT["optional-dependencies"]
    named = [Requirement(text) for text in extras["dev"]]
    has = {"dev", *(extra for one in named if one.name == "smallvision" for extra in one.extras)}
    texts = [*PROJECT["dependencies"], *(text for extra in has for text in extras[extra])]
    asked = [Requirement(text) for text in texts]
    return {requirement.name: requirement for requirement in asked}


def test_the_lock_names_no_place() -> None:
    assert re.findall(r"://|--index|--find|--extra|@ ", LOCK) == []
    unhashed = [line for line in LOCK.splitlines() if re.match(r"[a-z]", line) and "\\" not in line]
    assert unhashed == []


def test_the_lock_keeps_the_bounds_of_the_project() -> None:
    for name, requirement in list_direct().items():
        if name != "smallvision":
            assert requirement.specifier.contains(LOCKED[name]), name


@pytest.mark.parametrize(("name", "lowest"), read_bounds())
def test_no_bound_is_below_its_advisory(name: str, lowest: Version) -> None:
    assert LOCKED[name] >= lowest
    if name in list_direct():
        bounds = list_direct()[name].specifier
        assert any(b.operator == ">=" and Version(b.version) >= lowest for b in bounds)


def test_the_bill_lists_what_the_package_runs_on() -> None:
    pytest.importorskip("cyclonedx_py", reason="`make install` brings it")
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "-"]
    entries = "\n".join(list_runtime([PACKAGE], [f"torch=={LOCKED['torch']}"]))
    made = subprocess.run(command, input=entries, capture_output=True, text=True, check=True)
    bill = {part["name"]: part["version"] for part in json.loads(made.stdout)["components"]}
    runtime: dict[str, Requirement] = {}
    find_runtime(Requirement(PACKAGE), runtime)
    assert {"numpy", "torch", "pyarrow", "sqlalchemy", "mako", "onnx", "fastapi"} <= runtime.keys()
    assert "pytest" not in bill
    assert bill == {name: str(LOCKED[name]) for name in runtime}


def test_a_package_that_the_lock_lacks_is_named() -> None:
    with pytest.raises(SystemExit, match=r"requirements\.lock lacks torch"):
        list_runtime([PACKAGE])
