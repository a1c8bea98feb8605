"""Pictures of all kinds: the runner answers them as `smallvision classify` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from smallvision.predict import SavedModel, Tta
from smallvision.runs.classify import PictureChanges, answer_pictures, find_preparation
from smallvision.serving.runner import Runner
from tests.catalogs.test_exports import read_settings
from tests.support.exports import draw_model, save_source, write_onnx

N = 1000
SIDES = (8, 17, 32, 33, 64, 90)
ORIENTATION = 0x0112  # of EXIF
Pixels = npt.NDArray[np.uint8]


def save_turned(pixels: Pixels, path: Path, number: int) -> None:
    """A JPEG that lies on its side, or is mirrored, as its EXIF data say."""
    exif = Image.Exif()
    exif[ORIENTATION] = 1 + number % 8
    Image.fromarray(pixels).save(path.with_suffix(".jpg"), exif=exif, quality=95)


def save_transparent(pixels: Pixels, path: Path, number: int) -> None:
    opacity = np.roll(pixels[:, :, :1], number, axis=0)
    Image.fromarray(np.concatenate([pixels, opacity], axis=2)).save(path.with_suffix(".png"))


def save_deep(pixels: Pixels, path: Path, number: int) -> None:
    """Grey with 16 bits a value."""
    values = pixels[:, :, 0].astype(np.uint16) * 257 + number % 200
    Image.fromarray(values).save(path.with_suffix(".png"))


def save_as(mode: str, suffix: str) -> Callable[[Pixels, Path, int], None]:
    """In another mode of Pillow's."""

    def save(pixels: Pixels, path: Path, _: int) -> None:
        Image.fromarray(pixels).convert(mode).save(path.with_suffix(suffix))

    return save


KINDS = (
    save_turned,
    save_transparent,
    save_deep,
    save_as("CMYK", ".jpg"),
    save_as("L", ".jpg"),
    save_as("LA", ".png"),
    save_as("P", ".gif"),
    save_as("1", ".png"),
    save_as("RGB", ".webp"),
    save_as("RGB", ".bmp"),
    save_as("RGB", ".tiff"),
    save_as("RGB", ".ppm"),
)


def write_pictures(folder: Path) -> Path:
    """Smooth pictures of many sizes, shapes and kinds."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    for number in range(N):
        W, H = draw.choice(SIDES, 2)
        rough = Image.fromarray(draw.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        pixels = np.asarray(rough.resize((W, H), Image.Resampling.BICUBIC))
        KINDS[number % len(KINDS)](pixels, folder / f"{number:04d}", number)
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures") / "all")


@pytest.mark.parametrize(("C", "fit"), [(1, "crop"), (3, "pad"), (3, "stretch")])
def test_pictures_of_all_kinds_get_the_answers_of_classify(
    C: int, fit: str, pictures: Path, tmp_path: Path
) -> None:
    model: SavedModel = draw_model(read_settings("speednet"), (C, 16, 20))
    model = replace(model, fit=fit, bits=12, tta=Tta(mirror=True, shift=1))
    source = save_source(model, tmp_path / "model")
    runner = Runner(write_onnx(source, tmp_path / "model.onnx"))
    changes = PictureChanges(find_preparation(source.model))
    answers = list(answer_pictures(source.model, [pictures], changes))
    assert len(answers) == N
    assert [answer.error for answer in answers] == [None] * N
    images = np.concatenate([runner.read(answer.path) for answer in answers])
    expected = np.stack([answer.probabilities for answer in answers])
    assert expected.std(axis=0).max() > 0.01, "the same answer for all tells nothing"
    np.testing.assert_allclose(runner.predict(images), expected, atol=1e-5)
