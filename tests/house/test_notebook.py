"""The notebook holds no outputs and no figures, and runs with the package as it is."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "cifar10.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
SMALLER = {"IMAGES": 200, "EPOCHS": 3, "PASSES": 1, "TRIALS": 2}
# What shows itself by more than its text, in the order of the notebook.
FRAMES = 19


def list_sources(kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == kind]


def test_outputs_are_those_of_the_run_that_made_a_page() -> None:
    assert all(not cell["outputs"] for cell in CELLS if cell["cell_type"] == "code")
    assert all(cell["execution_count"] is None for cell in CELLS if cell["cell_type"] == "code")


def test_its_words_hold_no_figure_of_a_run() -> None:
    words = "\n".join(list_sources("markdown"))
    assert re.findall(r"\d[\d.,]* ?(?:%|percent|points)", words) == []
    assert "short run" in words


def make_smaller(cell: str) -> ast.Module:
    """A cell with smaller settings."""
    tree = ast.parse(cell)
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in SMALLER:
            node.value = ast.Constant(SMALLER[ast.unparse(node.targets[0])])
    return ast.fix_missing_locations(tree)


def run_cell(cell: str, names: dict[str, Any]) -> object:
    """Execute a cell, and return the value of its last expression, as a notebook does."""
    tree = make_smaller(cell)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.mark.timeout(600)
def test_every_cell_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMALLVISION_DATA", raising=False)
    names: dict[str, Any] = {}
    shown = [run_cell(cell, names) for cell in list_sources("code")]
    assert "handwritten digits instead" in capsys.readouterr().out
    frames = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_")]
    assert len(frames) == FRAMES
    assert all(frame.startswith("<iframe") for frame in frames[1:])
    assert names["result"].record.openings == 1
