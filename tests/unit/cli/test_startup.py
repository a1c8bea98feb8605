"""Commands that only read records, and every `--help`, answer without loading heavy libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smallvision.cli.main import app

ROOT = Path(__file__).parents[3]
COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]
HEAVY = {"torch", "scipy", "sklearn", "optuna", "plotly"}
PROBE = """
import json, sys
from smallvision.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def list_modules(*arguments: str | Path, **environment: str) -> set[str]:
    """Call the command in a process of its own and say which modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(command: str) -> None:
    assert not list_modules(*filter(None, [command]), "--help") & {*HEAVY, "numpy"}


def test_a_table_of_runs_needs_no_torch() -> None:
    assert not list_modules("runs", ROOT / "results" / "quick") & (HEAVY - {"plotly"})


@pytest.mark.parametrize("arguments", [[], ["wrn-aug"]])
def test_recipes_need_no_torch(arguments: list[str]) -> None:
    assert not list_modules("recipes", *arguments) & HEAVY


def test_a_report_needs_no_torch(tmp_path: Path) -> None:
    study = ROOT / "results" / "quick" / "digits"
    loaded = list_modules("report", study, "--out", tmp_path / "report.html")
    assert not loaded & (HEAVY - {"plotly"})
