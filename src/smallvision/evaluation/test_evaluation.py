"""The one test evaluation of a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.near_duplicates import DuplicateMasks, find_near_duplicates
from smallvision.errors import DataError, RecordError
from smallvision.evaluation.open_test import open_test
from smallvision.evaluation.scorecard import score
from smallvision.format import format_fraction, format_span
from smallvision.predict import SavedModel
from smallvision.records import store
from smallvision.records.files import now
from smallvision.records.layout import TEST
from smallvision.records.ledger import LEDGER, read_openings
from smallvision.records.schema import ModelScores, NearDuplicates, Rate, TestRecord
from smallvision.stats.intervals import CONFIDENCE, wilson_interval
from smallvision.stats.paired import Correct
from smallvision.stats.probabilities.calibration import describe_calibration
from smallvision.stats.probabilities.coverage import measure_coverage, measure_unlike
from smallvision.stats.probabilities.logits import pool_members, scale_logits
from smallvision.stats.probabilities.unlike import measure_energy
from smallvision.stats.rates import compare_rates, find_correct


@dataclass(frozen=True, eq=False)
class FinalModel:
    """A model that is to be tested.

    Attributes:
        name: for the ledger and the record.
        model: the model.
        val: the validation figures of the model, or of its validation model if there is one; None
            if nothing was validated.
        validation_model: of a refit, the same recipe trained on the training split alone.
    """

    name: str
    model: SavedModel
    val: Rate | None
    validation_model: SavedModel | None = None


def check_ledger(folder: Path) -> None:
    """Refuse to count on from a ledger that has lost openings.

    Raises:
        RecordError: the folder's last test result speaks of more openings than the ledger.
    """
    result = folder / TEST
    record = store.read_if_there(result, TestRecord)
    known = record.openings if record else 0
    found = len(read_openings(folder))
    if found < known:
        raise RecordError(
            f"{folder / LEDGER} lists {found} openings of the test set, but {result} speaks of "
            f"{known}; restore the ledger before the test set is opened again"
        )


def evaluate_on_test(
    final: FinalModel, dataset: DataSet, ledger: Path, *, command: str
) -> TestRecord:
    """Open the sealed test set and score the model.

    A refit has no validation accuracy of its own. Its validation model has one: both are scored in
    the same opening, and it is the validation model that is compared with validation.

    Args:
        final: the final model.
        dataset: whose test set is opened.
        ledger: the study's or single run's folder, where the opening is written down.
        command: for the ledger.

    Returns: the content of `test.json`, for the caller to write where it belongs.

    Raises:
        DataError: the model was trained on other classes or another image shape; the test set then
            stays sealed.
        RecordError: the ledger cannot be written; the test set then stays sealed.
    """
    for candidate in (final.model, final.validation_model):
        if candidate is not None:
            check_classes(candidate, dataset)
    check_ledger(ledger)
    study = ledger.resolve().name
    images, opening = open_test(dataset, ledger, study=study, model=final.name, command=command)
    found = find_near_duplicates(
        images.images,
        [part.images for part in (dataset.train, dataset.val) if part is not None],
        mirror=dataset.mirror_safe,
        device=final.model.machine.device,
    )
    other = final.validation_model
    scores = score_model(final.model, images, final.val if other is None else None, found)
    return scores.extend(
        TestRecord,
        model=final.name,
        time=now(),
        openings=opening.number,
        openings_on_machine=opening.on_machine,
        data_fingerprint=images.fingerprint,
        refit=other is not None,
        validation_model=score_model(other, images, final.val, found) if other else None,
    )


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
    model: SavedModel, images: ImageSet, val: Rate | None, found: DuplicateMasks
) -> ModelScores:
    """Score one model on the opened images, its temperature, limit and sets as they were saved.

    Args:
        model: with what was fitted to validation images; nothing is fitted here.
        images: the opened test set.
        val: its validation figures, or None if it has none.
        found: which of the images are among the training images, or nearly.
    """
    members = model.predict_member_logits(images.images)
    logits = pool_members(members)
    probabilities = scale_logits(logits, model.temperature)
    scores = score(probabilities, images.labels, images.class_names)
    p = None if val is None else compare_rates(scores, val)
    return scores.extend(
        ModelScores,
        weights=model.fingerprint,
        calibration=describe_calibration(logits, images.labels, model.temperature),
        val=val,
        p_vs_val=p,
        differs_from_val=None if p is None else p < 1 - CONFIDENCE,
        near_duplicates=score_unseen(find_correct(probabilities, images.labels), found),
        sets=measure_coverage(probabilities, images.labels, model.sets),
        unlike=measure_unlike(measure_energy(members), model.unlike),
    )


def score_unseen(right: Correct, found: DuplicateMasks) -> NearDuplicates:
    """The accuracy on the test images that are not among the data set's training images.

    Args:
        right: bool `(N,)`, which test images were answered rightly.
        found: which of them are, to the pixel or nearly.
    """
    n, hits = int((~found.seen).sum()), int(right[~found.seen].sum())
    counted = NearDuplicates(
        copies=int(found.copies.sum()),
        alike=None if found.alike is None else int(found.alike.sum()),
        n=n,
        accuracy=hits / n if n else None,
        interval=wilson_interval(hits, n) if n else None,
        sentence="",
    )
    return counted.change(sentence=describe_near_duplicates(counted, len(right)))


def describe_near_duplicates(found: NearDuplicates, total: int) -> str:
    """What was found of the test images among training images, and what it changes, in words.

    Args:
        found: all but the sentence.
        total: number of test images.
    """
    searched = found.alike is not None
    count = found.alike if found.alike is not None else found.copies
    if not count:
        what = "much like" if searched else "a copy of"
        return f"No test image is {what} a training image."
    if searched:
        what = "much like a training image"
        what += f", {found.copies:,} of them to the pixel" if found.copies else ""
    else:
        what = "a copy of a training image" if count == 1 else "copies of training images"
    sentence = f"{count:,} of {total:,} test images {'is' if count == 1 else 'are'} {what}"
    if found.accuracy is not None and found.interval is not None:
        accuracy = format_fraction(found.accuracy, total)
        sentence += (
            f"; without them accuracy is {accuracy} % ({format_span(found.interval, total)})"
        )
    return f"{sentence}."
