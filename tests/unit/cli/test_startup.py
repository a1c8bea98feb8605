"""Help, completion and commands that only read records answer without heavy libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smallvision.cli.main import app
from tests.support.study_folder import build_whole_study

COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]
HEAVY = {"torch", "scipy", "sklearn", "optuna"}
PROBE = """
import json, sys
sys.argv[0] = "smallvision"
from smallvision.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def call(*arguments: str | Path, **environment: str) -> tuple[str, set[str]]:
    """Call the command in a process of its own: what it prints, and which modules it loads."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(command: str) -> None:
    shown, loaded = call(*filter(None, [command]), "--help")
    assert f"Usage: smallvision {command}" in shown
    assert not loaded & {*HEAVY, "numpy"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("smallvision t", ["train", "tune", "track"]),
        ("smallvision train --se", ["--set", "--seeds"]),
        ("smallvision --ver", ["--version"]),
    ],
)
def test_bash_completes_commands_and_options(words: str, expected: list[str]) -> None:
    position = str(words.count(" "))
    shown, loaded = call(
        _SMALLVISION_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=position
    )
    assert shown.split() == expected
    assert not loaded & {*HEAVY, "numpy"}


def test_completion_can_be_installed(tmp_path: Path) -> None:
    # Without this the shell is looked for among the parent processes, where there may be none.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    call("--install-completion", "bash", HOME=str(tmp_path), **named)
    [script] = (tmp_path / ".bash_completions").iterdir()
    assert "_SMALLVISION_COMPLETE=complete_bash" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()


def test_a_table_of_runs_needs_no_torch(tmp_path: Path) -> None:
    build_whole_study(tmp_path / "study")
    shown, loaded = call("runs", tmp_path)
    assert "study/runs/wrn-aug" in shown
    assert not loaded & HEAVY


@pytest.mark.parametrize("arguments", [[], ["wrn-aug"]])
def test_recipes_need_no_torch(arguments: list[str]) -> None:
    shown, loaded = call("recipes", *arguments)
    assert "wide_resnet" in shown
    assert not loaded & HEAVY


def test_a_report_needs_no_torch(tmp_path: Path) -> None:
    build_whole_study(tmp_path / "study")
    _, loaded = call("report", tmp_path / "study")
    assert (tmp_path / "study" / "report.html").exists()
    assert not loaded & HEAVY
