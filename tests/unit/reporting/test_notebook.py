"""What a notebook shows of objects: the report's own drawings, in a frame each."""

from __future__ import annotations

import ast
import html
from pathlib import Path

import numpy as np
import pytest

import smallvision
from smallvision.comparison.groups import compare_groups
from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.schema import NetworkRecord, StudySummary, TestRecord
from smallvision.reporting.notebook import DRAWINGS
from smallvision.runs.classify import Classification
from smallvision.runs.results import Run, TestResult, Tuning

GOLD = Path(__file__).parents[2] / "gold" / "folders"


def show(thing: object) -> str:
    """The page in the frame that a notebook shows."""
    frame = thing._repr_html_()  # type: ignore[attr-defined]
    assert frame.startswith('<iframe srcdoc="')
    return html.unescape(frame)


def test_every_class_that_is_displayed_has_a_drawing() -> None:
    trees = (
        ast.parse(path.read_text()) for path in Path(smallvision.__file__).parent.rglob("*.py")
    )
    displayed = {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Displayed" for base in node.bases)
    }
    assert displayed == set(DRAWINGS)


def test_a_run_shows_its_curves_and_its_schedule() -> None:
    page = show(Run(GOLD / "run"))
    assert "mlp classifies" in page
    assert 'class="line val"' in page
    assert 'class="line rate"' in page


def test_an_ensemble_shows_its_members() -> None:
    page = show(Run(GOLD / "ensemble"))
    assert "How far they disagree" in page
    assert '<section id="training"' not in page


def test_a_study_shows_its_rungs_on_one_scale() -> None:
    summary = StudySummary(
        study=str(GOLD / "study"), rungs=(), best="mlp", test=None, report="report.html"
    )
    page = show(summary)
    assert "Validation accuracy of each rung" in page
    assert '<section id="data"' not in page


def test_a_search_shows_what_its_best_trial_changed() -> None:
    page = show(Tuning(GOLD / "tuning"))
    assert "What the best trial changed" in page
    assert "optimizer.lr" in page


def test_a_test_result_shows_the_confusions() -> None:
    record = store.read(GOLD / "run" / "test.json", TestRecord)
    page = show(TestResult(record))
    assert "Confusion matrix of the test set" in page
    assert "Reliability on the test images" in page


def test_a_network_shows_its_layers() -> None:
    network = store.read(GOLD / "run" / "network.json", NetworkRecord)
    page = show(network)
    assert f"{network.parameters:,} parameters" in page


def test_a_comparison_shows_each_pair() -> None:
    found = compare_groups([GOLD / "run", GOLD / "student"])
    page = show(found)
    assert all(pair.sentence in page.replace("\N{NO-BREAK SPACE}", " ") for pair in found.pairs)


def test_answers_show_the_most_probable_classes() -> None:
    found = Classification(
        paths=[Path("<b>.png"), Path("two.png")],
        class_names=("cat", "dog"),
        probabilities=np.array([[0.9, 0.1], [0.2, 0.8]], np.float32),
        energies=np.zeros(2, np.float32),
        unlike=np.array([False, True]),
        notes=(),
        errors=((Path("three.png"), "it is empty"),),
    )
    page = show(found)
    assert "&lt;b&gt;.png" in page
    assert page.count("unlike all that it was trained on") == 1
    assert "three.png: it is empty" in page


def test_damaged_records_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{}")
    with pytest.raises(RecordError):
        Run(tmp_path)._repr_html_()
