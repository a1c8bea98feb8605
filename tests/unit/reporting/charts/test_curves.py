from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.reporting.charts import curves
from smallvision.reporting.view import RunView, StudyView


@pytest.fixture
def run(study: StudyView) -> RunView:
    return study.rungs[0].run


def test_panels_mark_the_kept_epoch(study: StudyView) -> None:
    panels, scale = curves.draw_panels(rung.run for rung in study.rungs)
    assert len(panels) == 5
    assert panels[0].kept.startswith(f"M{100 * 12 / 13:.2f} ")
    assert panels[-1].kept == "", "a run that failed kept no epoch"
    assert [curve.css for curve in panels[0].curves] == ["train", "val"]
    assert 0 <= scale.low < scale.high <= 1


def test_the_first_epoch_is_inside_the_frame(run: RunView) -> None:
    low = run.epochs[0].model_copy(update={"val_accuracy": 0.1, "val_loss": 9.0})
    changed = replace(run, epochs=(low, *run.epochs[1:]))
    (panel,), scale = curves.draw_panels([changed])
    assert scale.low <= 0.1
    drawn = [
        panel.curves[1].path,
        *(plot.curves[-1].path for plot in curves.draw_curves(changed).plots),
    ]
    for path in drawn:
        x, y = map(float, path[1:].partition("L")[0].split())
        assert x == 0
        assert 0 <= y <= 100


def test_runs_without_epochs_have_no_panel(run: RunView) -> None:
    assert curves.draw_panels([replace(run, epochs=())])[0] == ()


def test_a_single_epoch_is_a_dot_in_the_middle(run: RunView) -> None:
    (panel,), _ = curves.draw_panels([replace(run, epochs=run.epochs[:1])])
    assert all(curve.path.startswith("M50 ") and "L50 " in curve.path for curve in panel.curves)


def test_the_large_drawing_has_two_plots_over_one_axis(run: RunView) -> None:
    chart = curves.draw_curves(run)
    assert [[curve.css for curve in plot.curves] for plot in chart.plots] == [
        ["train", "val"],
        ["batch", "train", "val"],
    ]
    assert chart.kept is not None
    assert chart.kept.text == "epoch 13 kept: 54.8 %"
    assert [mark.text for mark in chart.epochs] == ["2", "4", "6", "8", "10", "12", "14"]
    assert chart.restarts == (pytest.approx(100 / 13, abs=0.01), pytest.approx(500 / 13, abs=0.01))
    for plot in chart.plots:
        assert all(plot.top <= tick.place <= plot.top + plot.height for tick in plot.ticks)


def test_a_pointer_reads_every_epoch(run: RunView) -> None:
    columns = curves.draw_curves(run).columns
    assert len(columns) == 14
    assert columns[12].title.startswith("Epoch 13. Accuracy: validation 54.8 %, train 67.8 %.")
    ends = [column.start + column.width for column in columns]
    assert [column.start for column in columns[1:]] == pytest.approx(ends[:-1], abs=0.03)


def test_many_epochs_share_columns(run: RunView) -> None:
    epochs = tuple(run.epochs[0].model_copy(update={"epoch": number}) for number in range(1, 201))
    columns = curves.draw_curves(replace(run, epochs=epochs, schedule=None)).columns
    assert len(columns) == 50


def test_an_unfinished_run_leaves_room_for_the_epochs_to_come(study: StudyView) -> None:
    chart = curves.draw_curves(study.rungs[-1].run)
    assert chart.epochs[-1].text == "14"
    assert chart.columns[-1].title.startswith("Epoch 3.")
    assert (chart.kept, chart.dots) == (None, ())


def test_without_validation_only_training_is_drawn(run: RunView) -> None:
    epochs = tuple(
        epoch.model_copy(update={"val_loss": None, "val_accuracy": None, "val_n": 0})
        for epoch in run.epochs
    )
    chart = curves.draw_curves(replace(run, epochs=epochs))
    assert [[curve.css for curve in plot.curves] for plot in chart.plots] == [
        ["train"],
        ["batch", "train"],
    ]
    assert chart.dots == ()
    assert chart.kept is not None
    assert chart.kept.text == "epoch 13 kept"


def test_snapshots_are_marked_instead_of_the_kept_epoch(run: RunView) -> None:
    chart = curves.draw_curves(run, {2: False, 6: True})
    assert [(dot.css, dot.x) for dot in chart.dots] == [
        ("left-out", pytest.approx(100 / 13, abs=0.01)),
        ("member", pytest.approx(500 / 13, abs=0.01)),
    ]
    assert chart.kept is None
