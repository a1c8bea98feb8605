from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.records.schema import Goal, Limits
from smallvision.reporting.sections import protocol
from smallvision.reporting.view import StudyView
from tests.support.study_folder import make_opening
from tests.support.views import change_record, change_test


def test_the_protocol_claims_only_what_holds(study: StudyView) -> None:
    assert "opened the test set once, when that was done." in protocol.describe_protocol(study)
    twice = replace(study, openings=(make_opening(1), make_opening(2)))
    assert "was opened 2 times" in protocol.describe_protocol(twice)
    sealed = replace(study, openings=(), test=None)
    assert "still sealed" in protocol.describe_protocol(sealed)


def test_other_openings_on_the_machine_are_told(study: StudyView) -> None:
    seen = change_test(study, openings_on_machine=10)
    assert "on that machine had opened the same images 9 times" in protocol.describe_protocol(seen)


def test_the_protocol_of_a_refit(whole: StudyView) -> None:
    assert "then trained once more, on both splits together" in protocol.describe_protocol(whole)
    uses = {part.name: part.use for part in protocol.divide_images(whole)}
    assert uses["validation"] == "to choose on, then to fit the tested model on"
    alone = change_test(whole, refit=False)
    assert "once more" not in protocol.describe_protocol(alone)
    assert protocol.divide_images(alone)[1].use == "to choose on"


def test_the_split_fills_the_bar(study: StudyView) -> None:
    parts = protocol.divide_images(study)
    assert [part.n for part in parts] == [4_000, 1_000, 1_250]
    assert sum(part.width for part in parts) == pytest.approx(100)
    assert protocol.divide_images(replace(study, split=None)) == ()


def test_limits_stand_beside_what_the_winner_has(study: StudyView) -> None:
    rows = {row.name: (row.value, row.limit) for row in protocol.list_limits(study)}
    assert rows == {
        "gap between train and validation, as the finished model answers": (
            "5.8 points",
            "10.0 points",
        ),
        "parameters": ("1,077,850", "4,000,000"),
        "time per image": ("4.4 ms", "20.0 ms"),
    }
    nobody = protocol.list_limits(change_record(study, best=None))
    assert {row.value for row in nobody} == {"–"}
    free = change_record(study, goal=Goal(limits=Limits(gap=None)))
    assert protocol.list_limits(free) == ()
