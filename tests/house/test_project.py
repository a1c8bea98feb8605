"""What people expect of a project: version, changelog, citation, templates, hosted checks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import smallvision
from tests.conftest import FAST

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Changed numbers", "Deprecated", "Removed", "Fixed", "Security"}


def read_yaml(place: str) -> Any:
    return yaml.safe_load((ROOT / place).read_text(encoding="utf-8"))


def list_releases() -> list[tuple[str, str]]:
    """Version and date of each release in the changelog, as they stand there."""
    return re.findall(r"^## (\S+) \((\S+)\)$", CHANGELOG, re.MULTILINE)


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    version, date = list_releases()[0]
    citation = read_yaml("CITATION.cff")
    assert version == smallvision.__version__ == citation["version"]
    assert date == citation["date-released"]


def test_the_changelog_has_dates_and_the_usual_headings() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    dated = [f"{version} ({date})" for version, date in list_releases()]
    assert [line for line in headings if line != "Unreleased"] == dated
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in list_releases())
    dates = [date for _, date in list_releases()]
    assert dates == sorted(dates, reverse=True)
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS


def test_the_citation_says_what_the_project_says() -> None:
    citation = read_yaml("CITATION.cff")
    assert citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]
    assert set(citation["keywords"]) == set(PROJECT["keywords"])


def test_hosted_checks_may_only_read_and_run_fixed_actions() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_hosted_checks_run_what_everybody_runs() -> None:
    jobs = read_yaml(".github/workflows/ci.yml")["jobs"]
    steps = [step["run"] for step in jobs["whole"]["steps"] if "run" in step]
    assert "bash .ci/run" in steps
    oldest = jobs["whole"]["strategy"]["matrix"]["python-version"][0]
    assert PROJECT["requires-python"] == f">={oldest}"
    elsewhere = [step["run"] for step in jobs["fast"]["steps"] if "run" in step]
    assert all(line.startswith("python -m ") for line in elsewhere), "Windows has no make or bash"
    assert "python -m pytest -m fast" in elsewhere


def test_fast_tests_are_there() -> None:
    assert all((ROOT / "tests" / place).exists() for place in FAST)


def test_hooks_call_the_tools_of_the_project() -> None:
    repositories = read_yaml(".pre-commit-config.yaml")["repos"]
    assert [one["repo"] for one in repositories] == ["local"], "nothing is fetched from elsewhere"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in repositories[0]["hooks"]:
        tool = hook["entry"].split()[0]
        assert tool.startswith(".venv/bin/")
        assert tool.replace(".venv/bin", "$(BIN)") in makefile, f"`make check` has no {tool}"


def test_hooks_are_valid() -> None:
    command = shutil.which("pre-commit", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("pre-commit is not installed; `make install` brings it")
    config = str(ROOT / ".pre-commit-config.yaml")
    subprocess.run([command, "validate-config", config], check=True)


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        ("github-workflows", ".github/workflows/*.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("citation-file-format", "CITATION.cff"),
    ],
)
def test_files_for_others_are_of_their_form(schema: str, places: str) -> None:
    command = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("check-jsonschema is not installed; `make install` brings it")
    files = [str(path) for path in ROOT.glob(places)]
    assert files
    subprocess.run([command, "--builtin-schema", f"vendor.{schema}", *files], check=True)


def test_every_path_at_the_top_is_on_the_map() -> None:
    command = ["git", "-C", str(ROOT), "ls-files"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("the files are those of no repository")
    outside = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    outside = outside[outside.index("Outside the package:") :]
    tops = {line.partition("/")[0] for line in done.stdout.splitlines()} - {".gitignore", "src"}
    assert {top for top in tops if f"`{top}" not in outside} == set()
