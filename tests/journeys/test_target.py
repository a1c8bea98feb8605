"""`train --target`: a recipe made beforehand, trained once on all images."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from smallvision.data.loading.load import load_data
from smallvision.records import store
from smallvision.records.ledger import read_openings
from smallvision.records.schema import EpochMetrics
from tests.support.commands import Outcome, assert_refused, call_command, spell_settings

Call = Callable[..., Outcome]
SMALL = spell_settings(
    "epochs=2",
    "model.widths=[8]",
    "batch_size=64",
    "micro_batch=40",
    "random_crop_phase=[]",
    "tta.shift=0",
    "compute.threads=1",
)
VALIDATED = ("train", "digits", "speednet", "--target", "0.94", *SMALL)
HEADLINE = (*VALIDATED, "--refit", "--evaluate")


class Headline(NamedTuple):
    """A run on all images that was tested once, what `--json` printed, and what people read."""

    run: Path
    summary: dict[str, Any]
    told: str


@pytest.fixture(scope="module")
def headline(tmp_path_factory: pytest.TempPathFactory) -> Headline:
    run = tmp_path_factory.mktemp("headline") / "run"
    done = call_command(*HEADLINE, "--out", run, "--json")
    assert done.code == 0, done.err
    return Headline(run, done.json, done.words)


def test_all_images_are_trained_on(headline: Headline) -> None:
    assert headline.summary["kind"] == "all_images"
    lines = store.read_lines(headline.run / "metrics.jsonl", EpochMetrics)
    assert lines[-1].step == 2 * (len(load_data("digits").train) // 64)
    assert not (headline.run / "refit").exists()


def test_none_is_left_to_validate_or_calibrate_on(headline: Headline) -> None:
    assert "val" not in headline.summary
    lines = store.read_lines(headline.run / "metrics.jsonl", EpochMetrics)
    assert [line.val_n for line in lines] == [0, 0]
    assert "none is left to validate it on" in headline.told
    assert "not calibrated" in headline.told


def test_the_test_set_is_opened_once(smallvision: Call, headline: Headline, tmp_path: Path) -> None:
    run = Path(shutil.copytree(headline.run, tmp_path / "run"))
    assert headline.summary["test"]["n"] == 359
    assert len(read_openings(run)) == 1
    again = smallvision(*HEADLINE, "--out", run, "--resume", "--json")
    assert again.code == 0, again.err
    assert again.json["test"] == headline.summary["test"]
    assert len(read_openings(run)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "RUN"),
        ("explain", "RUN", "digits"),
        ("ensemble", "RUN"),
        ("evaluate", "RUN", "digits", "--on", "val"),
    ],
)
def test_what_needs_validation_images_is_refused(
    smallvision: Call, headline: Headline, words: tuple[str, ...]
) -> None:
    run = str(headline.run)
    refused = smallvision(*(run if word == "RUN" else word for word in words))
    assert_refused(refused, "none is left to validate it on")


def test_it_is_not_resumed_without_the_validation_images(
    smallvision: Call, headline: Headline
) -> None:
    refused = smallvision(*VALIDATED, "--out", headline.run, "--resume")
    assert_refused(refused, "with the validation images")


def test_it_is_listed(smallvision: Call, headline: Headline) -> None:
    listed = smallvision("runs", headline.run.parent)
    assert listed.code == 0
    assert "run" in listed.out


def test_without_refit_it_is_validated(smallvision: Call, tmp_path: Path) -> None:
    done = smallvision(*VALIDATED, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    assert done.json["val"]["n"] == 287


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wrn-aug", "--target", "0.94"], "goes with that recipe, not 'wrn-aug'"),
        (["speednet", "--target", "0.97"], "recipes were made for 0.93, 0.94, 0.96"),
        (["speednet", "--target", "94"], "recipes were made for 0.93, 0.94, 0.96"),
        (["speednet", "--target", "0.94", "--refit", "--seeds", "2"], "compares runs"),
        (["speednet", "--target", "0.94", "--preset", "quick"], "leave --preset out"),
        (["mlp", "--set", "name=x\udcff"], "is not UTF-8"),
    ],
)
def test_what_makes_no_sense_is_refused(
    smallvision: Call, tmp_path: Path, words: list[str], said: str
) -> None:
    assert_refused(smallvision("train", "digits", *words, "--out", tmp_path / "run"), said)
    assert not (tmp_path / "run").exists()
