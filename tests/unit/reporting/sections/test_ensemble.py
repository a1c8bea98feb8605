from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.records.schema import EnsembleRecord
from smallvision.reporting.sections import ensemble
from smallvision.reporting.view import StudyView
from tests.support.views import change_rungs


@pytest.fixture
def section(whole: StudyView) -> ensemble.EnsembleSection:
    found = ensemble.gather(whole)
    assert found is not None
    return found


@pytest.fixture
def record(section: ensemble.EnsembleSection) -> EnsembleRecord:
    return section.record


def test_members_join_one_by_one(section: ensemble.EnsembleSection) -> None:
    assert [row.name for row in section.members] == ["epoch 13", "epoch 14", "epoch 6"]
    assert [row.together for row in section.members] == [0.926, 0.936, 0.941]
    assert section.left_out == ("epoch 2",)
    assert section.best_member == "epoch 13"


def test_the_ensemble_stands_beside_its_parts(section: ensemble.EnsembleSection) -> None:
    points = {row.label: row.point for row in section.plot.rows}
    assert points["averaged weights"] < points["best member"] < points["ensemble"]


def test_members_of_several_runs_are_told_apart(record: EnsembleRecord) -> None:
    other = record.members[0].model_copy(update={"run": "../wrn-aug"})
    several = record.model_copy(update={"members": (other, *record.members[1:])})
    names = [row.name for row in ensemble.list_members(several)]
    assert names[:2] == ["wrn-aug, epoch 13", "snapshots, epoch 14"]


def test_disagreement_is_shaded_against_the_most() -> None:
    cells = ensemble.shade_disagreement(((0.0, 0.05), (0.1, 0.0)))
    assert [[cell.text for cell in row] for row in cells] == [["–", "5.0"], ["10.0", "–"]]
    assert [cells[0][1].css, cells[1][0].css] == ["hit-5", "hit-9"]
    assert ensemble.shade_disagreement(((0.0, 0.0), (0.0, 0.0)))[0][1].css == "hit-1"


def test_snapshots_are_marked_on_the_curves(section: ensemble.EnsembleSection) -> None:
    assert section.chart is not None
    assert [dot.css for dot in section.chart.dots] == ["left-out", "member", "member", "member"]


def test_an_ensemble_without_its_run_has_no_curves(whole: StudyView) -> None:
    lost = change_rungs(whole, lambda rung: replace(rung, snapshots=None))
    found = ensemble.gather(lost)
    assert found is not None
    assert found.chart is None


def test_studies_without_an_ensemble_have_no_section(study: StudyView) -> None:
    assert ensemble.gather(study) is None
