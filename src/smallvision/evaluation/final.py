"""The one test evaluation of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.errors import DataError, RecordError
from smallvision.evaluation.scorecard import score
from smallvision.evaluation.seal import open_test
from smallvision.predict import SavedModel
from smallvision.records.files import now, read_json
from smallvision.records.ledger import LEDGER, read_openings
from smallvision.stats.rates import rates_differ


def check_ledger(folder: Path) -> None:
    """Refuse to count on from a ledger that has lost openings.

    Raises:
        RecordError: the folder's last test result speaks of more openings than the ledger.
    """
    result = folder / "test.json"
    known = read_json(result)["openings"] if result.exists() else 0
    found = len(read_openings(folder))
    if found < known:
        raise RecordError(
            f"{folder / LEDGER} lists {found} openings of the test set, but {result} speaks of "
            f"{known}; restore the ledger before the test set is opened again"
        )


def evaluate_on_test(
    model: SavedModel,
    dataset: DataSet,
    ledger: Path,
    *,
    name: str,
    command: str,
    val: dict[str, Any],
) -> dict[str, Any]:
    """Open the seal and score the model.

    Args:
        model: the final model.
        dataset: whose test set is opened.
        ledger: the study's or lone run's folder, where the opening is written down.
        name, command: what the ledger says.
        val: the model's validation record (`accuracy`, `interval`, `n`), to set beside.

    Returns: the content of `test.json`, for the caller to write where it belongs.

    Raises:
        DataError: the model was trained on other classes or another image shape; the seal then
            stays closed.
        RecordError: the ledger cannot be written; the seal then stays closed.
    """
    known = (model.class_names, model.shape)
    if known != (dataset.train.class_names, dataset.train.shape):
        raise DataError(
            f"the model knows {len(model.class_names)} classes of {model.shape} images; "
            f"'{dataset.name}' has {dataset.train.num_classes} classes of {dataset.train.shape}"
        )
    check_ledger(ledger)
    study = ledger.resolve().name
    images, opening = open_test(dataset, ledger, study=study, model=name, command=command)
    card = score(model.predict(images.images), images.labels, images.class_names)
    beside = {key: val[key] for key in ("accuracy", "interval", "n")}
    return {
        "schema": 1,
        "model": name,
        "weights": model.fingerprint,
        "time": now(),
        "openings": opening,
        "data_fingerprint": images.fingerprint,
        **card,
        "val": beside,
        "differs_from_val": rates_differ(
            card["accuracy"], card["n"], beside["accuracy"], beside["n"]
        ),
    }
