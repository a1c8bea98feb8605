"""The model that comes with the package: whole, small, and what the records say of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from smallvision.predict import load_model
from smallvision.records.model_folders import PRETRAINED, find_model, fingerprint_model
from tests.support.models import FP32

RECORDS = Path(__file__).parents[2] / "results" / "pretrained"


def test_it_is_found_by_its_name_where_no_run_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_model(Path("cifar10")) == PRETRAINED / "cifar10"
    Path("cifar10").mkdir()
    assert find_model(Path("cifar10")) == PRETRAINED / "cifar10", "pictures, perhaps"
    Path("cifar10/status.json").touch()
    assert find_model(Path("cifar10")) == Path("cifar10"), "a run, which has no model yet"


def test_it_answers() -> None:
    model = load_model("cifar10", FP32)
    assert model.class_names[3] == "cat"
    draw = np.random.default_rng(0)
    said = model.predict(draw.integers(0, 256, (2, 3, 32, 32), dtype=np.uint8))
    assert said.shape == (2, 10)
    assert said.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_it_is_small() -> None:
    for place in PRETRAINED.iterdir():
        assert sum(path.stat().st_size for path in place.iterdir()) < 6_000_000


def test_its_records_are_of_these_weights() -> None:
    test = json.loads((RECORDS / "test.json").read_text())
    assert test["weights"] == fingerprint_model(PRETRAINED / "cifar10")
