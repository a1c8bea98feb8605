"""What must not be concluded: each sentence only where its reason is given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.records.schema import NearDuplicates
from smallvision.reporting.sections.first_screen.caveats import (
    OTHERS,
    list_caveats,
    tell_budget,
    tell_look_alikes,
    tell_selection,
)
from smallvision.reporting.view import StudyView
from tests.support.records import make_course
from tests.support.study_folder import CHOICE, SEEDS
from tests.support.views import change_record, change_rungs, change_status


def test_nothing_is_said_before_there_is_a_winner(study: StudyView) -> None:
    assert list_caveats(change_record(study, best=None)) == ()
    assert list_caveats(study)[0] == OTHERS


def test_seeds_and_folds(study: StudyView) -> None:
    assert "Each rung was trained once, with seed 7" in " ".join(list_caveats(study))
    assert study.winner is not None
    seeded = replace(study.winner, run=replace(study.winner.run, seeds=SEEDS))
    rungs = (*study.rungs[:3], seeded)
    said = " ".join(list_caveats(replace(study, rungs=rungs)))
    assert "With several seeds wrn-aug reached 91.8 ± 0.4 % over 3 seeds on validation" in said
    other = replace(study.rungs[1], run=replace(study.rungs[1].run, seeds=SEEDS))
    rungs = (study.rungs[0], other, *study.rungs[2:])
    said = " ".join(list_caveats(replace(study, rungs=rungs)))
    assert "Rungs without a spread beside their accuracy were trained once" in said
    folded = " ".join(list_caveats(change_record(study, folds=5)))
    assert "trained once in each of 5 folds" in folded


def test_rungs_that_more_epochs_may_change(study: StudyView) -> None:
    calm = change_rungs(
        study,
        lambda rung: (
            rung
            if rung.run.validated is None
            else replace(rung, run=change_status(rung.run, course=make_course(rising=False)))
        ),
    )
    assert list(tell_budget(calm)) == []
    first = replace(
        calm.rungs[0], run=change_status(calm.rungs[0].run, course=make_course(rising=True))
    )
    said = list(tell_budget(replace(calm, rungs=(first, *calm.rungs[1:]))))
    assert said[0].startswith("More epochs may change the order: mlp was still rising")


def test_what_choosing_did(study: StudyView, whole: StudyView) -> None:
    assert next(tell_selection(study)).endswith("in the case of wrn-aug by about 0.6 points.")
    little = CHOICE.change(from_epochs=0.0, from_rungs=0.0001)
    said = next(tell_selection(replace(study, choice=little)))
    assert said.endswith("by too little to be seen.")
    assert list(tell_selection(replace(study, choice=None))) == []
    assert "members of the ensemble" in list(tell_selection(whole))[-1]


@pytest.mark.parametrize(
    ("alike", "words"),
    [
        (None, "was not searched"),
        (3, "3 test images look much like a training image, which makes them easier: without "
            "them it is 91.0 % of 1,247."),
        (0, ""),
    ],
)  # fmt: skip
def test_look_alikes(alike: int | None, words: str) -> None:
    found = NearDuplicates(
        copies=0, alike=alike, n=1_247, accuracy=0.91, interval=(0.9, 0.92), sentence=""
    )
    said = " ".join(tell_look_alikes(found))
    assert words in said
    assert bool(said) is bool(words)
    assert list(tell_look_alikes(None)) == []
