"""The paragraphs tell what the records do, and nothing of a study without a winner."""

from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.sections.first_screen.prose import write_prose
from smallvision.reporting.view import StudyView
from tests.support.views import change_record


def test_four_paragraphs(whole: StudyView) -> None:
    task, ladder, result, mistakes = write_prose(whole)
    assert "made-up (12 × 12 pixels, colour) into 10 classes" in task
    assert "1,250 test images stayed sealed in this study until one model had been chosen." in task
    assert ladder.startswith("9 models were trained")
    assert "came with vgg10 (+31.3 points against mlp), vgg10-aug (+4.2 points" in ladder
    assert "No gain beyond chance came with wrn-cutmix and tuned." in ladder
    assert "wrn-se-aug was less accurate than the rung built on." in ladder
    assert "Chosen was snapshot-ensemble, an ensemble of 3 networks, each a Wide ResNet" in result
    assert "It, trained once more with the validation images, classifies" in result
    assert (
        "most often by confusing cat with dog (14 both ways) and car with truck (8 both ways)."
        in mistakes
    )


def test_without_test_errors_or_winner(study: StudyView) -> None:
    paragraphs = write_prose(replace(study, test=None, openings=()))
    assert len(paragraphs) == 3
    assert "stayed sealed" not in paragraphs[0]
    assert "of the validation images correctly" in paragraphs[2]
    assert write_prose(change_record(study, best=None)) == ()
    folded = write_prose(change_record(study, folds=5))
    assert "cross-validation in 5 folds" in folded[0]
