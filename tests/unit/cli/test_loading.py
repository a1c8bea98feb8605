"""The options of every command that reads images."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smallvision.cli.loading import OPTIONS, Loading, gather
from smallvision.cli.main import app
from smallvision.data.loading.load import load_data
from smallvision.errors import RecordError
from tests.support.commands import Outcome, assert_refused
from tests.support.images import write_dataset

Call = Callable[..., Outcome]
READERS = ("study", "explore", "train", "tune", "evaluate", "explain", "distill", "ensemble")


@pytest.mark.parametrize("name", READERS)
def test_every_command_that_reads_images_takes_every_option(name: str) -> None:
    [command] = [one.callback for one in app.registered_commands if one.callback.__name__ == name]
    assert set(OPTIONS) <= set(inspect.signature(command).parameters)


def test_the_options_are_those_of_load_data() -> None:
    known = set(inspect.signature(load_data).parameters) - {"source", "seed"}
    known.remove("class_names")  # of objects
    assert set(OPTIONS) == known


def test_only_what_was_asked_for_is_passed_on() -> None:
    values: dict[str, Any] = dict.fromkeys(OPTIONS)
    values |= {"strict": False, "mirror_safe": False, "image_size": 16, "suffixes": [".dat"]}
    asked = gather(values)
    assert asked.options == {"mirror_safe": False, "image_size": 16, "suffixes": [".dat"]}
    assert gather({**values, "data_dir": Path("here")}).data_dir == Path("here")


def test_the_training_folder_may_stand_for_the_data_set() -> None:
    assert Loading(options={"train": Path("a/photos")}).name(None) == "photos"
    assert Loading().name(None) == "digits"
    assert Loading(options={"name": "mine"}).name("digits") == "mine"


def test_an_option_that_does_not_apply_is_refused(smallvision: Call, tmp_path: Path) -> None:
    rows = write_dataset(tmp_path / "rows.npz")
    assert_refused(smallvision("explore", rows, "--config", "x"), "config does not apply")
    assert_refused(smallvision("explore", rows, "--image-size", "4"), "--image-size")


@pytest.mark.parametrize("name", ["a/b", ".hidden", "x" * 101])
def test_a_name_that_no_folder_can_have_is_refused(smallvision: Call, name: str) -> None:
    assert_refused(smallvision("explore", "digits", "--name", name), "is no name")


def test_explore_json_describes_the_parts_as_they_lie(smallvision: Call, tmp_path: Path) -> None:
    rows = write_dataset(tmp_path / "rows.npz", 60, 30)
    told = smallvision("explore", rows, "--json", "--name", "mine", "--no-page")
    assert told.code == 0, told.err
    assert told.json == {
        "schema": 1,
        "name": "mine",
        "page": None,
        "shape": [1, 8, 8],
        "class_names": ["class 0", "class 1", "class 2"],
        "parts": {"train": 60, "val": None, "test": 30},
        "carved": False,
        "left_out": [],
        "notes": [],
    }
    assert "All figures are of the training split: " in told.err


def test_carved_test_images_count_as_test(smallvision: Call) -> None:
    told = smallvision("explore", "digits", "--json", "--no-page").json
    assert told["carved"]
    assert sum(told["parts"][part] for part in ("train", "test")) == 1797


def test_what_was_not_begun_is_not_begun_by_resuming(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="holds nothing to resume; to begin there, name the data"):
        Loading().load(None, begun=tmp_path / "missing")
    assert Loading().load("digits", begun=tmp_path / "missing").name == "digits"
