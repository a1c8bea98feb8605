"""What choosing did to the winner's validation accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallvision.comparison.choice import describe_choice, measure_choice
from smallvision.errors import RecordError
from smallvision.recipes import parse_recipe
from smallvision.records.schema import WinnerChoice
from tests.support.comparisons import write_finished_run
from tests.support.records import make_course, make_rate


def write_rungs(folder: Path, count: int) -> list[Path]:
    rng = np.random.default_rng(0)
    return [
        write_finished_run(
            folder / f"rung-{i}",
            rng.permutation(400) < 360,
            parse_recipe({}),
            course=make_course(choice_lift=0.004),
        )
        for i in range(count)
    ]


def test_both_choices_are_measured_and_told(tmp_path: Path) -> None:
    runs = write_rungs(tmp_path, 6)
    choice = measure_choice(runs[0], runs)
    assert (choice.epochs, choice.rungs, choice.from_epochs) == (4, 6, 0.004)
    assert 0.005 < choice.from_rungs < 0.03
    expected = f"{100 * (0.9 - 0.004 - choice.from_rungs):.1f} %"
    assert choice.sentence.endswith(f": on new images expect about {expected} instead of 90.0 %.")
    assert choice.sentence.startswith(
        "These 400 images also chose among 4 epochs (about 0.4 points, by simulation) and "
        "among 6 rungs (about "
    )


def test_a_rung_that_took_over_another_is_no_candidate(tmp_path: Path) -> None:
    runs = write_rungs(tmp_path, 2)
    adopted = write_finished_run(
        tmp_path / "tuned", np.arange(400) < 360, parse_recipe({}), seconds=0.0
    )
    assert measure_choice(runs[0], [*runs, adopted]).rungs == 2


def test_an_ensemble_has_no_epochs(tmp_path: Path) -> None:
    run = write_finished_run(tmp_path / "run", np.arange(400) < 360, parse_recipe({}))
    assert measure_choice(run, [run]).sentence == "Nothing was chosen on these images."


def test_rungs_on_different_images_are_refused(tmp_path: Path) -> None:
    runs = write_rungs(tmp_path, 1)
    other = write_finished_run(tmp_path / "other", np.arange(400) < 3, parse_recipe({}), first=7)
    with pytest.raises(RecordError, match="different images"):
        measure_choice(runs[0], [*runs, other])


def test_one_choice_is_told_alone() -> None:
    one = WinnerChoice(epochs=1, rungs=3, from_epochs=0, from_rungs=0.01, sentence="")
    assert "epochs" not in describe_choice(one, make_rate(0.9, 500))
