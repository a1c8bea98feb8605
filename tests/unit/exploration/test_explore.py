"""An exploration tells figures at once, draws pictures when asked, and writes both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.imageset import ImageSet
from smallvision.data.related import relate_images
from smallvision.data.split import make_split
from smallvision.errors import RecordError
from smallvision.exploration import explore
from smallvision.exploration.explore import explore_dataset, explore_images, is_explored
from smallvision.recipes.builders import preview_catalogue
from smallvision.records import store
from smallvision.records.locks import check_folder
from smallvision.records.schema import ExplorationRecord
from tests.support.images import make_dataset, make_images


def run_command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a fresh process, and end it with 7 if torch was imported."""
    code = (
        "import sys; from smallvision.cli.main import main\n"
        "try: main()\n"
        "finally: sys.stdout.flush(); 'torch' in sys.modules and __import__('os')._exit(7)"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_command_answers_without_torch(tmp_path: Path) -> None:
    outcome = run_command("explore", "digits", folder=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert "The images are grey" in outcome.stdout
    # The check can fail: with pictures, augmentations are drawn by torch.
    assert run_command("explore", "digits", "--out", "look", folder=tmp_path).returncode == 7
    assert (tmp_path / "look" / "exploration.json").exists()


def test_nothing_is_drawn_before_it_is_asked_for() -> None:
    def refuse() -> list[object]:
        raise AssertionError("pictures were drawn")

    exploration = explore_dataset(make_dataset(), list_previews=refuse)
    assert "120 images" not in repr(exploration)
    assert repr(exploration).startswith("96 images\nThe classes are balanced")
    with pytest.raises(AssertionError, match="pictures were drawn"):
        _ = exploration.pictures


def test_what_was_begun_is_known_and_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk amid the pictures leaves a folder that the same command takes."""
    exploration = explore_dataset(make_dataset(), list_previews=preview_catalogue)
    folder = tmp_path / "look"
    assert not is_explored(folder)

    def fail(folder: Path, _: object) -> None:
        (folder / "random.png").write_bytes(b"one of many")
        raise RecordError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(explore, "write_pictures", fail)
        with pytest.raises(RecordError):
            exploration.write(folder)
    assert not is_explored(folder)
    assert check_folder(folder, "exploration.json", resume=True)
    exploration.write(folder)
    assert is_explored(folder)
    (folder / "random.png").unlink()
    assert not is_explored(folder)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    exploration = explore_dataset(make_dataset(), list_previews=preview_catalogue)
    exploration.write(tmp_path)
    record = store.read(tmp_path / "exploration.json", ExplorationRecord)
    assert record == exploration.record
    names = {path.name for path in tmp_path.glob("*.png")}
    assert names == set(exploration.pictures)
    strips = [strip.file for strip in record.pictures.augmentations]
    listed = {record.pictures.random, *record.pictures.classes, *record.pictures.averages, *strips}
    listed |= {record.pictures.normalization.before, record.pictures.normalization.after}
    assert record.closer is not None
    listed |= {record.closer.map.file, *(group.file for group in record.closer.extremes)}
    assert listed == names == set(record.list_files())
    assert len(strips) == len(preview_catalogue())


def test_a_notebook_shows_the_page_and_the_augmentations() -> None:
    shown = explore_dataset(make_dataset(), list_previews=preview_catalogue)._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert shown.count("data:image/webp;base64,") > 10
    assert "an image and its variations by cutmix" in shown


def test_a_closer_look_is_at_the_training_split_alone() -> None:
    """Its images are numbered as the data set has them, and none of them validates."""
    data = make_dataset()
    related = relate_images(data.train, data.groups, data.alike)
    split = make_split(data.train, val=data.val, seed=3, related=related)
    closer = explore_dataset(data, seed=3).closer
    assert closer is not None
    shown = closer.list_shown()
    assert {image.number for image in shown} <= set(split.train.tolist())
    assert len(closer.map.images) == len(split.train)
    assert all(data.train.labels[image.number] == image.label for image in shown)
    source = closer.source
    assert (source.train_n, source.kept_n, source.test_n) == (
        len(data.train), len(split.val), len(data.test)
    )  # fmt: skip


def test_a_study_looks_no_closer() -> None:
    exploration = explore_images(make_images(40))
    assert exploration.closer is None
    assert exploration.record.closer is None


def test_a_class_without_training_images_is_explored_too() -> None:
    images = make_images(40)
    rest = np.flatnonzero(images.labels != 2)
    partial = ImageSet(images.images[rest], images.labels[rest], images.class_names)
    record = explore_images(partial).record
    assert record.counts[2] == 0
    assert len(record.pictures.classes) == 3
    assert "class 2" in record.implications[0]
