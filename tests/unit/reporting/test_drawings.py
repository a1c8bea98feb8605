"""Ladder, curves, schedules, matrix and specimens: geometry, not looks."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from smallvision.reporting.charts import confusion_matrix, curves, ladder, schedules
from smallvision.reporting.pictures import Channel
from smallvision.reporting.sections import data, phrases
from smallvision.reporting.view import Study


def test_ladder_orders_as_the_accuracies(study: Study) -> None:
    drawn = ladder.draw_ladder(study)
    points = [row.point for row in drawn.rows if row.score]
    assert points == sorted(points)
    assert all(row.low < row.point < row.high for row in drawn.rows if row.score)
    assert [row.base for row in drawn.rows][1] == drawn.rows[0].point
    assert [row.is_best for row in drawn.rows] == [False, False, False, True, False]
    assert drawn.test is not None


def test_ladder_says_what_happened(study: Study) -> None:
    chips = [row.chip for row in ladder.draw_ladder(study).rows]
    assert [chip.text for chip in chips] == [
        "starting point",
        "better",
        "better",
        "cannot tell apart",
        "failed",
    ]
    assert [chip.symbol for chip in chips] == ["", "▲", "▲", "≈", ""]


def test_a_rung_without_a_base_is_compared_with_the_one_before(study: Study) -> None:
    rungs = tuple(replace(rung, plan=replace(rung.plan, builds_on=None)) for rung in study.rungs)
    rows = ladder.draw_ladder(replace(study, rungs=rungs)).rows
    assert [row.chip.text for row in rows][:2] == ["starting point", "better"]
    assert rows[1].note.endswith(" on mlp")
    assert rows[1].base == rows[0].point


def test_ladder_without_scores_has_no_axis(study: Study) -> None:
    bare = tuple(replace(rung, outcome=replace(rung.outcome, val=None)) for rung in study.rungs)
    drawn = ladder.draw_ladder(replace(study, rungs=bare, scorecard=None))
    assert drawn.marks == ()
    assert drawn.test is None
    assert ladder.compare_test(replace(study, scorecard=None)) is None


def test_panels_mark_the_kept_epoch(study: Study) -> None:
    panels, scale = curves.draw_panels(study.rungs)
    assert len(panels) == 5
    assert panels[0].best is not None
    assert panels[0].best[0] == pytest.approx(100 * 12 / 13, abs=0.01)
    assert panels[-1].best is None
    assert 0 <= scale.low < scale.high <= 1


def test_a_single_epoch_is_a_dot(study: Study) -> None:
    rung = replace(study.rungs[0], epochs=study.rungs[0].epochs[:1])
    panels, _ = curves.draw_panels([rung])
    assert panels[0].val.startswith("M50.00 ")
    assert "L50.00 " in panels[0].val
    assert curves.build_figure(rung)["data"][0]["mode"] == "markers"


def test_figures_are_strict_json(study: Study) -> None:
    epochs = tuple(
        replace(epoch, val_loss=math.nan, loss=math.inf) for epoch in study.rungs[0].epochs
    )
    rung = replace(study.rungs[0], epochs=epochs)
    text = json.dumps(curves.build_figure(rung), allow_nan=False)
    assert '"y": [null, null' in text


def test_figures_name_colours_not_values(study: Study) -> None:
    for figure in curves.build_figures(study.rungs).values():
        colours = [trace["line"]["color"] for trace in figure["data"]]
        colours += [shape["line"]["color"] for shape in figure["layout"]["shapes"]]
        assert all(colour.startswith("--") for colour in colours)


def test_rung_names_never_reach_plotly_as_markup(study: Study) -> None:
    plan = replace(study.rungs[0].plan, name="<b>x</b>")
    figure = curves.build_figure(replace(study.rungs[0], plan=plan))
    assert "<b>" not in json.dumps(figure)


def test_shared_schedules_are_drawn_once(study: Study) -> None:
    (plot,) = schedules.draw_schedules(study.rungs)
    assert plot.rungs == tuple(rung.name for rung in study.rungs)
    assert plot.restarts == ("2", "6")
    assert plot.ends[-1] == (100.0, "14")
    assert plot.top == "0.1"


def test_matrix_shades_by_share(study: Study) -> None:
    assert study.scorecard is not None
    drawn = confusion_matrix.draw_matrix(study.scorecard)
    assert drawn.is_table
    assert drawn.paths == ()
    assert {drawn.rows[i][i].css[:4] for i in range(10)} == {"hit-"}
    worst = max(drawn.pairs, key=lambda pair: pair.share)
    row = study.scorecard.class_names.index(worst.true)
    column = study.scorecard.class_names.index(worst.called)
    assert drawn.rows[row][column].css == "miss-9"
    assert drawn.errors == 1_250 - round(1_250 * study.scorecard.accuracy)
    counts = [pair.count for pair in drawn.pairs]
    assert counts == sorted(counts, reverse=True)


def test_perfect_matrix_and_empty_rows(study: Study) -> None:
    assert study.scorecard is not None
    rows = ((5, 0, 0), (0, 0, 0), (0, 0, 7))
    card = replace(study.scorecard, class_names=("a", "b", "c"), confusion=rows)
    drawn = confusion_matrix.draw_matrix(card)
    assert drawn.pairs == ()
    assert drawn.rows[1][1].css == "zero"
    assert drawn.rows[0][0].css == "hit-9"


def test_large_matrix_is_a_few_paths(study: Study) -> None:
    assert study.scorecard is not None
    K = 60
    names = tuple(f"class {index}" for index in range(K))
    rows = tuple(
        tuple(9 if i == j else 1 if j == (i + 1) % K else 0 for j in range(K)) for i in range(K)
    )
    card = replace(study.scorecard, class_names=names, confusion=rows)
    drawn = confusion_matrix.draw_matrix(card)
    assert not drawn.is_table
    assert [css for css, _ in drawn.paths] == ["hit-9", "miss-9"]
    assert drawn.paths[0][1].count("M") == K
    cells = confusion_matrix.list_cells(card)
    assert cells["rows"][0] == [0, 9, 1, 1]
    assert confusion_matrix.list_cells(replace(card, confusion=rows[:2])) == {}


def test_specimens_fold_what_is_too_much(study: Study) -> None:
    assert study.exploration is not None
    assert data.list_specimens(study.exploration).rest == ()
    names = tuple(f"class {index}" for index in range(40))
    many = replace(study.exploration, class_names=names, counts=(5,) * 40)
    folded = data.list_specimens(many)
    assert (len(folded.first), len(folded.rest), folded.pictured) == (20, 20, 2)
    assert folded.unpictured


def test_balance_of_many_classes(study: Study) -> None:
    assert study.exploration is not None
    names = tuple(f"class {index}" for index in range(40))
    look = replace(study.exploration, class_names=names, counts=tuple(range(1, 41)))
    skyline = data.draw_skyline(look)
    assert skyline is not None
    assert skyline.path.startswith("M0 100L0 0.00H1")
    assert "From 40 images (class 39) down to 1 (class 0)" in skyline.sentence
    flat = data.draw_skyline(replace(look, counts=(7,) * 40))
    assert flat is not None
    assert (flat.path, flat.sentence) == ("", "Every class has 7 images.")
    assert data.draw_skyline(study.exploration) is None


def test_histograms_share_a_scale() -> None:
    low, high = Channel("red", 0.2, 0.1, (0.5, 0.5)), Channel("mystery", 0.8, 0.1, (0.0, 1.0))
    drawn = data.draw_histograms((low, high))
    assert [curve.css for curve in drawn] == ["red", "grey"]
    assert drawn[1].path.endswith("L50.00 4.00 L100.00 4.00")
    assert drawn[0].path == "M0.00 52.00 L50.00 52.00 L50.00 52.00 L100.00 52.00"


def test_split_fills_the_bar(study: Study) -> None:
    parts = data.divide_images(study)
    assert [part.n for part in parts] == [4_000, 1_000, 1_250]
    assert sum(part.width for part in parts) == pytest.approx(100)
    assert data.divide_images(replace(study, split=None)) == ()


def test_environment_in_words() -> None:
    record = {
        "schema": 1,
        "memory_bytes": 25_276_514_304,
        "gpu": None,
        "versions": {"torch": "2.13.0", "smallvision": None},
        "git": {"commit": "16d425b74855d7415ac448d806b5e5d9dbdad26c", "changed": False},
        "flags": ["a", "b"],
    }
    assert phrases.flatten_record(record) == (
        ("memory", "25.3 GB"),
        ("torch", "2.13.0"),
        ("git commit", "16d425b74855…"),
        ("git changed", "no"),
        ("flags", "a, b"),
    )


def test_machine_in_words() -> None:
    machine = {"device": "cpu", "precision": "bf16", "compiled": False, "threads": 1}
    assert phrases.describe_machine(machine) == "cpu, bf16, 1 thread"
    assert (
        phrases.describe_machine({"device": "cuda", "channels_last": True}) == "cuda, channels last"
    )
    assert phrases.describe_machine({}) == "–"


def test_costs_leave_out_what_is_unknown(study: Study) -> None:
    rung = study.rungs[1]
    assert [part.replace(" ", " ") for part in phrases.describe_costs(rung)] == [
        "2 min 2 s of training (1.7 ×)",
        "301,514 parameters (0.40 ×)",
        "2.2 ms an image",
    ]
    bare = replace(rung, step=None, outcome=replace(rung.outcome, latency_seconds=None))
    assert len(phrases.describe_costs(bare)) == 2
    assert "(" not in "".join(phrases.describe_costs(bare))


def test_metrics_in_words() -> None:
    assert phrases.name_metric("val_accuracy") == "validation accuracy"
    assert phrases.name_metric("new_thing") == "new thing"


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("better", "Helped."),
        ("worse", "Did not help: it did harm."),
        ("cannot tell apart", "Did not help as far as these images can tell."),
    ],
)
def test_help_in_words(study: Study, verdict: str, said: str) -> None:
    rung = study.rungs[1]
    assert rung.step is not None
    step = replace(rung.step, verdict=verdict)  # type: ignore[arg-type]
    assert phrases.describe_help(replace(rung, step=step)) == said
    assert phrases.describe_help(study.rungs[0]) == ""


def test_skipped_rungs_are_not_drawn(study: Study) -> None:
    left = replace(study.rungs[2], plan=replace(study.rungs[2].plan, status="skipped"))
    shorter = replace(study, rungs=(*study.rungs[:2], left, *study.rungs[3:]))
    assert shorter.left_out == ("vgg10-aug",)
    assert len(ladder.draw_ladder(shorter).rows) == 4
