"""What the later rungs add: a search, an ensemble, calibration, error analysis, seeds."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from smallvision.errors import RecordError
from smallvision.reporting import draw_report
from smallvision.reporting.charts import ladder, reliability, slices
from smallvision.reporting.findings import Dimension, Trial, Tuning
from smallvision.reporting.reader import read_study
from smallvision.reporting.scores import Bin, Calibration, Reliability, Seeds
from smallvision.reporting.sections import data, ensemble, phrases, summary
from smallvision.reporting.sections import tuning as section
from smallvision.reporting.view import Study
from tests.gold.page_text import Page
from tests.gold.study_folder import edit_json

TUNE = "runs/tuned/tune/tune.json"
ENSEMBLE = "runs/snapshot-ensemble/ensemble.json"
ERRORS = "runs/snapshot-ensemble/errors/errors.json"
SEEDS = "runs/wrn-aug/seeds.json"
RATE = Dimension("optimizer.lr", "float", 0.01, 1.0, log=True)


def read(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def find_tuning(study: Study) -> Tuning:
    rung = study.find_rung("tuned")
    assert rung is not None
    assert rung.tuning is not None
    return rung.tuning


def refuse(folder: Path) -> str:
    with pytest.raises(RecordError) as caught:
        read_study(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_reads_what_was_written(story: Study) -> None:
    assert story.missing == ()
    assert len(find_tuning(story).trials) == 10
    rung = story.winner
    assert rung is not None
    assert rung.ensemble is not None
    assert rung.snapshots is not None
    assert len(rung.snapshots.epochs) == 14
    assert rung.epochs == ()
    seeded = story.find_rung("wrn-aug")
    assert seeded is not None
    assert seeded.seeds is not None
    assert phrases.describe_seeds(seeded.seeds) == "91.8 ± 0.4 % over 3 seeds"
    assert story.mistakes is not None
    assert len(story.mistakes.pictures) == 2 * 3 - 1 + 2 * 8 + 5 + 5
    assert all(story.mistakes.pictures.values())
    assert story.mistakes.widest == 8 * 13 - 1


@pytest.mark.parametrize("name", [TUNE, ENSEMBLE, ERRORS, SEEDS])
def test_absent_records_are_nothing_to_remark_on(story_folder: Path, name: str) -> None:
    (story_folder / name).unlink()
    assert read_study(story_folder).missing == ()


@pytest.mark.parametrize("name", [TUNE, ENSEMBLE, ERRORS, SEEDS])
def test_torn_records_are_one_line(story_folder: Path, name: str) -> None:
    (story_folder / name).write_text('{"schema": 1, "trials": [')
    assert f"{Path(name).name} is damaged" in refuse(story_folder)


@pytest.mark.parametrize(
    ("name", "field"), [(TUNE, "space"), (ENSEMBLE, "steps"), (ERRORS, "pairs"), (SEEDS, "std")]
)
def test_missing_fields_are_named(story_folder: Path, name: str, field: str) -> None:
    record = read(story_folder / name)
    del record[field]
    (story_folder / name).write_text(json.dumps(record))
    assert f"'{field}' is missing" in refuse(story_folder)


def test_wrong_types_inside_lists_are_named(story_folder: Path) -> None:
    trials = read(story_folder / TUNE)["trials"]
    edit_json(story_folder / TUNE, trials=[trials[0] | {"state": "tired"}])
    assert "tune.json: trials.0.state" in refuse(story_folder)


@pytest.mark.parametrize("number", [-1, 10])
def test_classes_out_of_range_are_refused(story_folder: Path, number: int) -> None:
    votes = read(story_folder / ERRORS)["disagreements"]
    edit_json(story_folder / ERRORS, disagreements=[votes[0] | {"votes": [number]}])
    assert f"class {number} where study.json names 10 classes" in refuse(story_folder)


def test_pictures_of_errors_stay_in_their_folder(story_folder: Path) -> None:
    worst = read(story_folder / ERRORS)["worst"]
    edit_json(story_folder / ERRORS, worst=[worst[0] | {"saliency": "../../../secret.png"}])
    assert "is not a plain file name" in refuse(story_folder)


def test_lost_pictures_are_named(story_folder: Path) -> None:
    (story_folder / ERRORS).with_name("pair-0.png").unlink()
    study = read_study(story_folder)
    assert study.missing == ("errors/pair-0.png is missing: one picture less.",)
    assert study.mistakes is not None
    assert study.mistakes.pictures["pair-0.png"] is None


def test_an_ensemble_without_its_run_has_no_curves(story_folder: Path) -> None:
    shutil.rmtree(story_folder / "runs/snapshot-ensemble/members")
    rung = read_study(story_folder).winner
    assert rung is not None
    assert ensemble.build_snapshots(rung) is None


def test_values_on_their_axes() -> None:
    places = [section.place_value(RATE, value) for value in (0.01, 0.1, 1.0)]
    assert places == [0.0, 0.5, 1.0]
    flat = Dimension("width", "int", 16, 64)
    assert [section.place_value(flat, value) for value in (16, 40, 64)] == [0.0, 0.5, 1.0]
    choice = Dimension("size", "choice", choices=(64, 128, 256))
    assert [section.place_value(choice, value) for value in (64, 128, 256)] == [
        0.0,
        0.5,
        1.0,
    ]
    assert section.place_value(Dimension("one", "choice", choices=("x",)), "x") == 0.5
    for dimension, value in ((choice, 7), (RATE, None), (RATE, 0.0), (Dimension("?", "x"), 1.0)):
        assert section.place_value(dimension, value) is None


def test_ticks_are_readable() -> None:
    assert [text for _, text in section.lay_axis(RATE).ticks] == [
        "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1",
    ]  # fmt: skip
    decay = Dimension("weight_decay", "float", 3e-7, 0.01, log=True)
    ticks = section.lay_axis(decay).ticks
    assert [text for _, text in ticks] == ["3e-7", "1e-6", "1e-5", "0.0001", "0.001", "0.01"]
    places = [place for place, _ in ticks]
    assert all(b - a >= section.APART for a, b in pairwise(places))


def test_parallel_coordinates(story: Study) -> None:
    tuning = find_tuning(story)
    figure = section.build_parallel(tuning)
    json.dumps(figure, allow_nan=False)
    lines = {trace["text"].split(",")[0]: trace for trace in figure["data"]}
    assert len(lines) == 9, "a failed trial has no line"
    best, pruned = lines["trial 3"], lines["trial 2"]
    assert best["line"]["width"] == max(trace["line"]["width"] for trace in lines.values())
    assert len(best["y"]) == 5
    assert best["y"][2:4] == [0.0, 1.0]
    assert pruned["line"]["dash"] == "dot"
    assert len(pruned["y"]) == 4, "a pruned trial never got a full accuracy"
    assert figure["data"][-1] is best, "the winner lies on top"


def test_names_of_settings_never_reach_plotly_as_markup() -> None:
    key = "<b>x</b>"
    trial = Trial(0, {key: "<i>y</i>"}, "complete", 0.5)
    space = (Dimension(key, "choice", choices=("<i>y</i>",)),)
    tuning = Tuning("r", "val_accuracy", 1, "s", "p", space, (trial,), None)
    text = json.dumps(section.build_parallel(tuning))
    assert "<b>" not in text
    assert "<i>" not in text


def test_search_in_words(story: Study) -> None:
    search = section.draw_search(story)
    assert search is not None
    assert search.sentence.startswith("10 trials of the 12 asked for, each of up to 4 epochs")
    assert "6 ran to the end, 3 were stopped early by hyperband, 1 failed." in search.sentence
    assert [key for key, _ in search.importance][:2] == ["optimizer.lr", "optimizer.weight_decay"]
    moved = {change.key: (change.before, change.after, change.is_new) for change in search.changes}
    assert moved["optimizer.lr"] == ("0.1", "0.17", True)
    assert moved["batch_size"] == ("64", "64", False)
    ends = [section.describe_end(trial) for trial in search.tuning.trials]
    assert ends[6] == "failed: the loss was not a number"
    assert ends[2].replace(" ", " ") == "stopped early, at best 51.2 %"


def test_settings_are_found_by_dotted_keys() -> None:
    recipe = {"optimizer": {"lr": 0.1}, "augment": [{"name": "crop", "padding": 4}]}
    found = [
        section.find_setting(recipe, key)
        for key in ("optimizer.lr", "augment.crop.padding", "augment.flip.p", "optimizer.lr.x")
    ]
    assert found == [0.1, 4, None, None]


def test_recipes_that_are_no_toml_are_one_line(story: Study) -> None:
    base = story.find_rung("wrn-aug")
    assert base is not None
    with pytest.raises(RecordError, match=r"recipe.toml of wrn-aug is damaged"):
        section.list_changes(find_tuning(story), replace(base, recipe="[["))


def test_search_without_a_winner(story: Study) -> None:
    tuning = replace(find_tuning(story), best=None, importance=None)
    rung = story.find_rung("tuned")
    assert rung is not None
    search = section.draw_search(replace(story, rungs=(replace(rung, tuning=tuning),)))
    assert search is not None
    assert (search.changes, search.importance) == ((), ())


def test_members_join_one_by_one(story: Study) -> None:
    vote = ensemble.draw_vote(story)
    assert vote is not None
    assert [row.name for row in vote.members] == ["epoch 13", "epoch 14", "epoch 6"]
    assert [row.together for row in vote.members] == [0.926, 0.936, 0.941]
    assert vote.left_out == ("epoch 2",)
    assert [label for label, _, _ in vote.versus.rows] == [
        "best member",
        "averaged weights",
        "ensemble",
    ]
    points = {label: row.point for label, _, row in vote.versus.rows}
    assert points["averaged weights"] < points["best member"] < points["ensemble"]


def test_members_of_several_runs_are_told_apart(story: Study) -> None:
    assert story.winner is not None
    record = story.winner.ensemble
    assert record is not None
    other = replace(record.members[0], run="../wrn-aug")
    several = replace(record, members=(other, *record.members[1:]))
    names = [row.name for row in ensemble.list_members(several)]
    assert names[:2] == ["wrn-aug, epoch 13", "snapshots, epoch 14"]


def test_disagreement_is_shaded_against_the_most() -> None:
    tiles = ensemble.shade_disagreement(((0.0, 0.05), (0.1, 0.0)))
    assert [[tile.text for tile in row] for row in tiles] == [["–", "5.0"], ["10.0", "–"]]
    assert [tiles[0][1].css, tiles[1][0].css] == ["hit-5", "hit-9"]
    assert ensemble.shade_disagreement(((0.0, 0.0), (0.0, 0.0)))[0][1].css == "hit-1"


def test_snapshots_are_marked_on_both_curves(story: Study) -> None:
    assert story.winner is not None
    figure = ensemble.build_snapshots(story.winner)
    assert figure is not None
    json.dumps(figure, allow_nan=False)
    marks = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    assert [(trace["name"], trace["yaxis"], len(trace["x"])) for trace in marks] == [
        ("member", "y", 3),
        ("member", "y3", 3),
        ("left out", "y", 1),
        ("left out", "y3", 1),
    ]
    assert marks[3]["y"][0] < 0.001, "a snapshot stands where the learning rate ends a cycle"


def test_reliability_dots_lie_where_they_should() -> None:
    sure = Bin(0.9, 1.0, 75, confidence=1.0, accuracy=0.8)
    vague = Bin(0.4, 0.5, 25, confidence=0.45, accuracy=0.45)
    found = Reliability(0.15, 0.4, 0.2, (vague, sure))
    low, high = reliability.draw_diagram("x", found).dots
    assert low.y == low.ideal
    assert high.x == reliability.LEFT + reliability.SIDE
    assert high.ideal == reliability.TOP
    assert high.y - high.ideal == pytest.approx(0.2 * reliability.SIDE)
    assert high.height == reliability.BARS
    assert low.height == pytest.approx(reliability.BARS / 3, abs=0.01)
    assert reliability.draw_diagram("x", replace(found, bins=())).dots == ()


@pytest.mark.parametrize(
    ("temperature", "after", "said"),
    [
        (1.34, 0.01, "softens probabilities that claimed too much, which brought them closer"),
        (0.8, 0.01, "sharpens timid probabilities, which brought them closer"),
        (1.34, 0.09, "did not bring them closer"),
        (1.0, 0.05, "as they were."),
    ],
)
def test_temperature_in_words(temperature: float, after: float, said: str) -> None:
    before = Reliability(0.05, 0.4, 0.2, ())
    found = Calibration(temperature, before, replace(before, ece=after))
    assert said in reliability.describe_temperature(found)


def test_calibration_falls_back_to_validation(story: Study) -> None:
    trust = reliability.draw_trust(story)
    assert trust is not None
    assert trust.on == "test"
    unopened = replace(story, scorecard=None)
    trust = reliability.draw_trust(unopened)
    assert trust is not None
    assert trust.on == "validation"
    assert reliability.draw_trust(replace(unopened, rungs=())) is None


def test_slices_share_a_scale(story: Study) -> None:
    assert story.mistakes is not None
    drawn = slices.draw_slices(story.mistakes)
    assert [plot.record.name for plot in drawn.plots] == ["brightness", "contrast"]
    points = [row.point for row in drawn.plots[0].rows]
    assert points == sorted(points)
    assert all(row.low < row.point < row.high for plot in drawn.plots for row in plot.rows)
    assert all(b.place - a.place >= slices.APART for a, b in pairwise(drawn.marks))
    assert drawn.plots[0].rows[0].label == "0.08 to 0.35"
    assert slices.draw_slices(replace(story.mistakes, slices=())).marks == ()


def test_gains_in_a_sentence_each(story: Study, study: Study) -> None:
    gains = summary.sum_up_gains(story)
    assert gains.helped.replace(" ", " ").startswith(
        "vgg10 (+31.3 points on mlp), vgg10-aug (+4.2 points on vgg10), "
    )
    assert gains.idle.replace(" ", " ") == (
        "wrn-se-aug (−2.2 points on wrn-aug) did harm; wrn-cutmix and tuned cannot be told apart "
        "from wrn-aug; wrn-aug-mish failed."
    )
    alone = summary.sum_up_gains(replace(study, rungs=study.rungs[:1]))
    assert (alone.helped, alone.idle, alone.caveat) == ("", "", "")


@pytest.mark.parametrize(("seeds", "cautious"), [((1, 1), True), ((3, 3), False)])
def test_gains_of_single_networks_say_so(
    story: Study, seeds: tuple[int, int], cautious: bool
) -> None:
    rungs = tuple(
        replace(rung, step=rung.step and replace(rung.step, seeds=seeds)) for rung in story.rungs
    )
    gains = summary.sum_up_gains(replace(story, rungs=rungs))
    assert ("other seeds" in gains.caveat) is cautious


@pytest.mark.parametrize("verdict", ["better", "worse", "cannot tell apart"])
def test_a_search_that_found_nothing_helped_nothing(story_folder: Path, verdict: str) -> None:
    best = read(story_folder / TUNE)["trials"][0]
    edit_json(
        story_folder / TUNE,
        best={"number": 0, "values": best["values"], "accuracy": best["accuracy"]},
        rerun={"sentence": "Tuning found nothing."},
    )
    steps = read(story_folder / "verdicts.json")["steps"]
    for step in steps:
        if step["rung"] == "tuned":
            step["verdict"] = verdict
    edit_json(story_folder / "verdicts.json", steps=steps)
    study = read_study(story_folder)
    gains = summary.sum_up_gains(study)
    assert "tuned (" not in gains.helped + gains.idle
    assert "and tuned" not in gains.idle
    rung = study.find_rung("tuned")
    assert rung is not None
    assert ladder.name_rung(rung).text == "same recipe, other seed"
    text = Page(draw_report(story_folder).html).text
    assert text.count("this rung is a repeat of it with another seed.") == 2  # tuning and ladder
    assert "Helped. tuned against" not in text
    assert "Tuning found nothing. " not in text, "the search is not said to have failed twice"

    edit_json(story_folder / "runs/tuned/status.json", seconds=0.0)
    rung = read_study(story_folder).find_rung("tuned")
    assert rung is not None
    assert ladder.name_rung(rung).text == "same run"
    text = Page(draw_report(story_folder).html).text
    assert text.count("this rung is the very run of") == 2
    assert "another seed" not in text


def test_failed_repeats_stand_beside_the_mean(story_folder: Path) -> None:
    edit_json(story_folder / SEEDS, failed=[10])
    text = Page(draw_report(story_folder).html).text.replace(" ", " ")
    assert text.count("91.8 ± 0.4 % over 3 seeds (seed 10 failed)") == 3
    seeds = Seeds((7,), (0.921,), 0.921, None, None, 1_000, (8, 9))
    said = phrases.describe_seeds(seeds)
    assert said == "92.1 % over 1 seed (seeds 8 and 9 failed)"
    edit_json(story_folder / SEEDS, failed=3)
    assert "'failed' is 3" in refuse(story_folder)


def test_the_protocol_of_a_refit(story: Study) -> None:
    assert "then trained once more, on both splits together" in summary.describe_protocol(story)
    parts = {part.name: part.use for part in data.divide_images(story)}
    assert parts["validation"] == "to choose on, then to fit the tested model on"
    assert story.scorecard is not None
    alone = replace(story, scorecard=replace(story.scorecard, refit=False))
    assert "once more" not in summary.describe_protocol(alone)
    assert data.divide_images(alone)[1].use == "to choose on"


def test_a_refitted_model_is_compared_by_its_twin(story: Study) -> None:
    said = summary.compare_val(story) or ""
    assert said.startswith("On validation the twin reached 94.1")
    assert said.endswith("more than chance explains (p under 0.001).")  # as verdicts say it
    versus = ladder.compare_test(story)
    assert versus is not None
    assert [label for label, _, _ in versus.rows] == ["validation", "test, twin", "test, refitted"]
    assert "trained once more" in summary.write_headline(story).support


def test_scales_hold_a_search_that_reached_nothing() -> None:
    trial = Trial(0, {"optimizer.lr": 0.1}, "failed")
    tuning = Tuning("r", "val_accuracy", 1, "s", "p", (RATE,), (trial,), None)
    figure = section.build_parallel(tuning)
    assert figure["data"] == []
    assert math.isfinite(figure["layout"]["annotations"][1]["y"])
