"""Fixtures that many tests share: tiny data sets, a private cache, one way to call the command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import seal


@pytest.fixture(autouse=True)
def _private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing a test does may reach the user's cache, or find the user's data by accident."""
    monkeypatch.setenv("SMALLVISION_CACHE", str(tmp_path / "cache"))
    return


def make_images(
    size: int, *, num_classes: int = 3, side: int = 8, channels: int = 1, seed: int = 0
) -> ImageSet:
    """Learnable images: each class has a bright row of its own, under noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(size, dtype=np.int64) % num_classes
    images = rng.integers(0, 120, (size, channels, side, side))
    images[np.arange(size), :, labels] += 130
    names = tuple(f"class {k}" for k in range(num_classes))
    return ImageSet(images.astype(np.uint8), labels, names)


def make_dataset(size: int = 120, test_size: int = 30, **settings: int) -> DataSet:
    """A data set of such images with a sealed test set."""
    return DataSet(
        name="rows",
        source="tests",
        train=make_images(size, **settings),
        test=seal(make_images(test_size, **{**settings, "seed": 99})),
    )


@pytest.fixture
def dataset() -> DataSet:
    return make_dataset()


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def smallvision(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Call the command line in this process: `smallvision("train", "digits", "mlp")`."""

    def call(*arguments: str | Path) -> Outcome:
        from smallvision.cli.main import main

        monkeypatch.setattr(sys, "argv", ["smallvision", *map(str, arguments)])
        code: int | str | None = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return Outcome(int(code or 0), captured.out, captured.err)

    return call
