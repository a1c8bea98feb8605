"""Which model a name on the command line stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records.files import hash_file
from smallvision.records.model_folders import (
    PRETRAINED,
    find_classifier_folder,
    fingerprint_model,
)
from smallvision.runs.classify import find_classifier

GOLD = Path(__file__).parents[2] / "gold" / "folders"


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (GOLD / "study", GOLD / "study" / "runs" / "mlp" / "refit" / "model"),
        (GOLD / "study" / "runs" / "mlp", GOLD / "study" / "runs" / "mlp" / "refit" / "model"),
        (GOLD / "run", GOLD / "run" / "model"),
        (GOLD / "all-images", GOLD / "all-images" / "model"),
        (GOLD / "ensemble" / "averaged", GOLD / "ensemble" / "averaged"),
        (Path("cifar10"), PRETRAINED / "cifar10"),
    ],
)
def test_the_model_is_the_one_that_classify_takes(named: Path, found: Path) -> None:
    assert find_classifier_folder(named) == found
    assert fingerprint_model(found) == hash_file(found / "manifest.json")
    assert find_classifier(named).folder == found


def test_a_run_that_is_not_finished_has_none() -> None:
    with pytest.raises(RecordError, match="is not finished"):
        find_classifier_folder(GOLD / "paused")
