"""Studies of few images: cross-validated by default, and what is said of that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.ledger import read_openings
from smallvision.records.schema import (
    Comparison,
    EnsembleRecord,
    FoldSummary,
    LadderVerdicts,
    StudyRecord,
    TestRecord,
)
from smallvision.runs.finished_run import find_validated
from tests.support.commands import BRIEF, FAST, Outcome, assert_refused
from tests.support.studies import MadeStudy, make_study

Call = Callable[..., Outcome]
OPTIONS = ("--rungs", "mlp,tuned,snapshot-ensemble", "--folds", "3", *BRIEF)


@pytest.fixture(scope="module")
def folded(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeStudy:
    """A study in three folds with a rung of every kind."""
    return make_study(rows, tmp_path_factory.mktemp("folded") / "study", *OPTIONS)


def test_every_rung_is_judged_on_all_images(folded: MadeStudy) -> None:
    done = [rung for rung in folded.summary.rungs if rung.status == "done"]
    assert len(done) == 3
    for rung in done:
        record = store.read(folded.folder / "runs" / rung.name / "folds.json", FoldSummary)
        assert (record.folds, record.failed, record.counts) == ((1, 2, 3), (), (39, 41, 40))
        assert (rung.val_n, rung.val_accuracy) == (120, record.val.accuracy)
    steps = store.read(folded.folder / "verdicts.json", LadderVerdicts).steps
    assert {(step.n, step.folds) for step in steps} == {(120, 3)}


def test_the_choice_stands_in_the_record(folded: MadeStudy) -> None:
    study = store.read(folded.folder / "study.json", StudyRecord)
    assert (study.folds, study.refit) == (3, True)
    assert study.best_reason is not None
    assert "cross-validated accuracy" in study.best_reason


def test_an_ensemble_is_built_on_every_fold(folded: MadeStudy) -> None:
    run = folded.folder / "runs" / "snapshot-ensemble"
    singles = [
        store.read(place / "ensemble.json", EnsembleRecord).single.n
        for place in (run, run / "folds" / "2", run / "folds" / "3")
    ]
    assert singles == [39, 41, 40]
    notes = find_validated(run / "folds" / "2" / "members" / "snapshots")[1].notes
    assert any("were not trained again" in note for note in notes), "it goes on from its own base"


def test_the_winner_is_tested_after_training_on_all_labelled_images(folded: MadeStudy) -> None:
    test = store.read(folded.folder / "test.json", TestRecord)
    assert (test.refit, test.openings, len(read_openings(folded.folder))) == (True, 1, 1)
    assert test.validation_model is not None
    assert test.validation_model.val is not None
    assert test.validation_model.val.n == 120
    refit = folded.folder / "runs" / str(folded.summary.best) / "refit"
    assert find_validated(refit)[1].train.n == 120


def test_the_report_says_what_is_behind_a_figure(folded: MadeStudy) -> None:
    page = (folded.folder / "report.html").read_text()
    for said in ("n = 120 in 3 folds", "Fold by fold:", "This is fold 1 of 3", "of fold 1 alone"):
        assert said in page


def test_a_finished_study_is_resumed_without_training(
    folded: MadeStudy, rows: Path, tmp_path: Path, smallvision: Call
) -> None:
    copy = folded.copy(tmp_path).folder
    again = make_study(rows, copy, "--resume", *OPTIONS)
    assert again.summary.rungs == folded.summary.rungs
    assert len(read_openings(copy)) == 1
    options = ("--rungs", "mlp,tuned,snapshot-ensemble", *BRIEF)
    refused = smallvision("study", rows, "--out", copy, "--resume", *options)
    assert_refused(refused, "another split")


def test_one_split_is_not_resumed_in_folds(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    """The split of five folds' first is the same, so that only the record tells."""
    made = make_study(rows, tmp_path / "study", "--rungs", "mlp", *FAST)
    options = ("--resume", "--rungs", "mlp", *FAST)
    refused = smallvision("study", rows, "--out", made.folder, *options)
    assert_refused(refused, "another --folds")


def test_folds_are_listed_and_compared(smallvision: Call, folded: MadeStudy) -> None:
    listed = smallvision("runs", folded.folder).out
    assert listed.index("runs/mlp") < listed.index("fold 2") < listed.index("fold 3")
    compared = smallvision("compare", folded.folder, "--json")
    assert compared.code == 0, compared.err
    comparison = Comparison.model_validate_json(compared.out)
    assert (comparison.n, comparison.folds) == (120, 3)
    assert "120 validation images in 3 folds" in compared.err


def test_few_images_are_cross_validated_without_being_asked(
    smallvision: Call, rows: Path, tmp_path: Path
) -> None:
    outcome = smallvision("study", rows, "--out", tmp_path / "s", "--rungs", "mlp", *FAST)
    assert outcome.code == 0, outcome.err
    said = "judged by stratified cross-validation in 5 folds, since there are 120 labelled images"
    assert said in outcome.words
    assert "120 validation images in 5 folds" in outcome.words


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--folds", "0"], "'--folds'"),
        (["--folds", "3", "--seeds", "2"], "give one of the two"),
    ],
)
def test_folds_that_cannot_be_are_refused_in_one_line(
    smallvision: Call, rows: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    out = tmp_path / "study"
    refused = smallvision("study", rows, "--out", out, *options)
    assert (refused.code, out.exists()) == (2, False)
    assert said in refused.err
