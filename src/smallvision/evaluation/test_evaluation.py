"""The one test evaluation of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.near_duplicates import DuplicateMasks, find_near_duplicates
from smallvision.errors import DataError, RecordError
from smallvision.evaluation.open_test import open_test
from smallvision.evaluation.scorecard import score
from smallvision.format import choose_digits
from smallvision.predict import SavedModel
from smallvision.records.files import now, read_json
from smallvision.records.ledger import LEDGER, read_openings
from smallvision.stats import find_correct
from smallvision.stats.calibration import describe_calibration, scale_logits
from smallvision.stats.intervals import CONFIDENCE, wilson_interval
from smallvision.stats.paired import Correct
from smallvision.stats.rates import compare_rates


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
    val: dict[str, Any] | None,
    twin: SavedModel | None = None,
) -> dict[str, Any]:
    """Open the seal and score the model.

    A model refitted on training and validation images together has no validation accuracy of its
    own. Its twin, the same recipe without the validation images, has one: both are scored in the
    same opening, and it is the twin that is compared with validation.

    Args:
        model: the final model.
        dataset: whose test set is opened.
        ledger: the study's or lone run's folder, where the opening is written down.
        name, command: what the ledger says.
        val: the validation record (`accuracy`, `interval`, `n`) of the model, or of its twin if
            there is one, to set beside; None if nothing was validated.
        twin: the model trained on the training split alone, if `model` is a refit.

    Returns: the content of `test.json`, for the caller to write where it belongs.

    Raises:
        DataError: the model was trained on other classes or another image shape; the seal then
            stays closed.
        RecordError: the ledger cannot be written; the seal then stays closed.
    """
    for candidate in (model, twin):
        if candidate is not None:
            check_classes(candidate, dataset)
    check_ledger(ledger)
    study = ledger.resolve().name
    images, opening = open_test(dataset, ledger, study=study, model=name, command=command)
    result = {
        "schema": 1,
        "model": name,
        "time": now(),
        "openings": opening.number,
        "openings_on_machine": opening.on_machine,
        "data_fingerprint": images.fingerprint,
    }
    found = find_near_duplicates(
        images.images,
        [part.images for part in (dataset.train, dataset.val) if part is not None],
        mirror=dataset.mirror_safe,
        device=model.machine.device,
    )
    if twin is None:
        return {**result, **score_model(model, images, val, found)}
    return {
        **result,
        **score_model(model, images, None, found),
        "refit": True,
        "twin": score_model(twin, images, val, found),
    }


def check_classes(model: SavedModel, dataset: DataSet) -> None:
    """Refuse a data set of other classes or another image shape than the model's.

    Raises:
        DataError: it is.
    """
    known = (model.class_names, model.shape)
    if known != (dataset.train.class_names, dataset.train.shape):
        raise DataError(
            f"the model knows {len(model.class_names)} classes of {model.shape} images; "
            f"'{dataset.name}' has {dataset.train.num_classes} classes of {dataset.train.shape}"
        )


def score_model(
    model: SavedModel, images: ImageSet, val: dict[str, Any] | None, found: DuplicateMasks
) -> dict[str, Any]:
    """Score one model on the opened images, its temperature as it was saved.

    Args:
        model: with a temperature fitted on validation; nothing is fitted here.
        images: the opened test set.
        val: its validation record, or None if it has none.
        found: which of the images are among the training images, or nearly.
    """
    logits = model.predict_logits(images.images)
    probabilities = scale_logits(logits, model.temperature)
    card = score(probabilities, images.labels, images.class_names)
    return {
        "weights": model.fingerprint,
        **card,
        "calibration": describe_calibration(logits, images.labels, model.temperature),
        **compare_with_val(card, val),
        "lookalikes": score_unseen(find_correct(probabilities, images.labels), found),
    }


def score_unseen(right: Correct, found: DuplicateMasks) -> dict[str, Any]:
    """The accuracy on the test images that are not among the data set's training images.

    Args:
        right: bool `(N,)`, which test images were answered rightly.
        found: which of them are, to the pixel or nearly.
    """
    n, hits = int((~found.seen).sum()), int(right[~found.seen].sum())
    counts = {
        "copies": int(found.copies.sum()),
        "alike": None if found.alike is None else int(found.alike.sum()),
        "n": n,
    }
    without = {"accuracy": hits / n, "interval": list(wilson_interval(hits, n))} if n else {}
    return {**counts, **without, "sentence": phrase_unseen({**counts, **without}, len(right))}


def phrase_unseen(unseen: dict[str, Any], total: int) -> str:
    """What was found of the test images among training images, and what it changes, in words.

    Args:
        unseen: `lookalikes` of `test.json`, but for the sentence.
        total: number of test images.
    """
    copies, alike = unseen["copies"], unseen["alike"]
    count = copies if alike is None else alike
    if not count:
        what = "a copy of" if alike is None else "much like"
        return f"No test image is {what} a training image."
    what = "copies of training images" if alike is None else "much like a training image"
    if alike is not None and copies:
        what += f", {copies:,} of them to the pixel"
    verb = "is" if count == 1 else "are"
    if count == 1 and alike is None:
        what = "a copy of a training image"
    sentence = f"{count:,} of {total:,} test images {verb} {what}"
    if "accuracy" in unseen:
        digits = choose_digits(total)
        low, high = (f"{bound * 100:.{digits}f}" for bound in unseen["interval"])
        accuracy = f"{unseen['accuracy'] * 100:.{digits}f}"
        sentence += f"; without them accuracy is {accuracy} % ({low} to {high})"
    return f"{sentence}."


def compare_with_val(card: dict[str, Any], val: dict[str, Any] | None) -> dict[str, Any]:
    """Set the validation accuracy beside the test accuracy; all null where there is none."""
    if val is None:
        return {"val": None, "p_vs_val": None, "differs_from_val": None}
    p = compare_rates(card["accuracy"], card["n"], val["accuracy"], val["n"])
    return {
        "val": {key: val[key] for key in ("accuracy", "interval", "n")},
        "p_vs_val": p,
        "differs_from_val": p < 1 - CONFIDENCE,
    }
