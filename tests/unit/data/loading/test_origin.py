"""A run remembers where its data came from."""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from smallvision.api import evaluate, train
from smallvision.data.loading.load import from_arrays, load_data
from smallvision.data.loading.origin import check_patterns, describe_origin, load_again
from smallvision.data.sources.source import SourceOptions
from smallvision.errors import DataError
from smallvision.records.schema import DataOrigin
from tests.support.images import make_images, write_dataset

ONE_EPOCH = ["epochs=1", "model.hidden=[8]", "compute.threads=1"]


def save_folder(root: Path) -> Path:
    """A folder of pictures, two classes."""
    rows = make_images(60, num_classes=2)
    for number, (image, label) in enumerate(zip(rows.images, rows.labels, strict=True)):
        (root / f"class{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(root / f"class{label}" / f"{number}.png")
    return root


def test_the_record_holds_every_option_of_a_source() -> None:
    options = {field.name for field in fields(SourceOptions)}
    assert set(DataOrigin.model_fields) == options | {"place", "known_as"}


def test_a_folder_is_read_again_by_the_same_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_folder(tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    data = load_data("pictures", image_size=16, name="mine")
    run = train(data, "mlp", settings=ONE_EPOCH, out=tmp_path / "run")
    monkeypatch.chdir("/")  # the place is remembered, not how it was spelt
    status = run.status
    assert status.origin is not None
    assert status.origin.place == str(tmp_path / "pictures")
    again = load_again(run.folder, status.data, status.origin, None, None)
    assert (again.name, again.train.shape) == ("mine", (1, 16, 16))
    assert again.train.fingerprint == data.train.fingerprint
    assert evaluate(run).record.n == len(data.test)


def test_a_place_that_moved_is_named_again(tmp_path: Path) -> None:
    save_folder(tmp_path / "pictures")
    data = load_data(tmp_path / "pictures", image_size=16, name="mine")
    run = train(data, "mlp", settings=ONE_EPOCH, out=tmp_path / "run")
    (tmp_path / "pictures").rename(tmp_path / "moved")
    with pytest.raises(DataError, match=r"no longer at .*pictures; name it"):
        evaluate(run)
    assert evaluate(run, tmp_path / "moved").record.n == len(data.test), "the options are kept"


def test_other_images_at_the_same_place_are_refused(tmp_path: Path) -> None:
    rows = write_dataset(tmp_path / "rows.npz")
    run = train(load_data(rows), "mlp", settings=ONE_EPOCH, out=tmp_path / "run")
    write_dataset(rows, 90)
    with pytest.raises(DataError, match=r"trained on other images .* at .*rows\.npz"):
        evaluate(run)


def test_a_named_set_is_found_by_its_name() -> None:
    data = load_data("digits")
    origin = describe_origin(data)
    assert origin is not None
    assert (origin.place, origin.known_as) == (None, "digits")
    assert (
        load_again(Path("run"), "x", origin, None, None).train.fingerprint == data.train.fingerprint
    )


def test_a_file_may_have_the_name_of_a_named_set(tmp_path: Path) -> None:
    rows = load_data(write_dataset(tmp_path / "digits.npz"))
    assert rows.name == "digits"
    again = load_again(Path("run"), "digits", describe_origin(rows), None, None)
    assert again.train.fingerprint == rows.train.fingerprint


def test_arrays_have_no_place(tmp_path: Path) -> None:
    rows = make_images(60)
    data = from_arrays(rows.images, rows.labels)
    assert describe_origin(data) is None
    run = train(data, "mlp", settings=ONE_EPOCH, out=tmp_path / "run")
    with pytest.raises(DataError, match="no record tells where that is"):
        evaluate(run)
    assert evaluate(run, data).record.n == len(data.test)


def test_a_place_that_no_record_can_hold_is_not_remembered(tmp_path: Path) -> None:
    strange = tmp_path / "caf\udce9.npz"
    try:
        shutil.copy(write_dataset(tmp_path / "rows.npz"), strange)
    except OSError:
        pytest.skip("the file system refuses such names")
    assert describe_origin(load_data(strange, name="rows")) is None


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", ".*.*.*x", "(a?a?a?a)$"])
@pytest.mark.parametrize("name", ["label_from", "group_by"])
def test_a_costly_pattern_of_a_stranger_is_not_run(tmp_path: Path, name: str, pattern: str) -> None:
    """Such expressions take time that doubles with each character of a file's name."""
    save_folder(tmp_path / "pictures")
    origin = DataOrigin(place=str(tmp_path / "pictures"), known_as=None, **{name: pattern})
    with pytest.raises(DataError, match=f"may take long.*give it again as {name}"):
        load_again(tmp_path, "x", origin, None, None)


@pytest.mark.parametrize("pattern", ["folder", r"^(\w+)\.", r"^(\w+?)_.*", r"(cat|dog)", None])
def test_usual_patterns_are_remembered(pattern: str | None) -> None:
    check_patterns(Path("run"), DataOrigin(place="/x", known_as=None, label_from=pattern), {})
