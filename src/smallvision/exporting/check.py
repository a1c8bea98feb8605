"""Whether an exported model answers as the model that it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smallvision.errors import RecordError
from smallvision.exporting.options import ExportOptions
from smallvision.exporting.source import CheckImages
from smallvision.format import format_accuracy, format_points, format_share
from smallvision.predict import SavedModel
from smallvision.records.schema import ExportCheck, Layout, Rate
from smallvision.serving.runner import open_session, order_images
from smallvision.shapes import Floats, Images
from smallvision.stats.probabilities.logits import pool_members, scale_logits
from smallvision.stats.rates import rate_accuracy

COMPARED, MEASURED = 1_000, 10_000  # images, in float32 and where accuracy may be lost
TIE = 1e-4  # between two probabilities, which rounding may decide
# Of a probability, for all but one image in a hundred: whether an image is shifted too may depend
# on the last digit of a logit, and that one is then answered differently.
MOST_DIFFERENCE, MOST_SHARE = 1e-3, 0.01
OUTPUTS = 64  # images on which the two outputs of a graph are compared with each other


@dataclass(frozen=True)
class Verification:
    """What was found out about an exported model.

    Attributes:
        check: how its answers compare.
        before, after: accuracy of the model itself and of what was exported; None where the images
            have no labels.
    """

    check: ExportCheck
    before: Rate | None = None
    after: Rate | None = None


def verify(
    model: SavedModel,
    answer: Callable[[Images], Floats],
    images: CheckImages,
    options: ExportOptions,
) -> Verification:
    """Compare an exported model with the one it was made from.

    Args:
        model: the original.
        answer: from uint8 images `(N, C, H, W)` to the probabilities of what was exported.
        images: to compare them on.
        options: of the export.

    Raises:
        RecordError: they answer differently, or more accuracy is lost than may be.
    """
    ours, theirs = model.predict(images.images), answer(images.images)
    check = compare(ours, theirs, images)
    if options.weights == "fp32":
        refuse_other_answers(check, ours, theirs)
    if images.labels is None:
        return Verification(check)
    before, after = (rate_accuracy(one, images.labels) for one in (ours, theirs))
    lost = before.accuracy - after.accuracy
    if options.weights != "fp32" and lost > options.tolerance:
        raise RecordError(
            f"{options.weights} classifies {format_accuracy(after)} of {after.n:,} {images.kind} "
            f"images correctly, and the model itself {format_accuracy(before)}: it loses "
            f"{format_points(lost, after.n, signed=False)}, and --tolerance allows "
            f"{format_share(options.tolerance)}; export it without --{options.weights}"
        )
    return Verification(check, before, after)


def compare(ours: Floats, theirs: Floats, images: CheckImages) -> ExportCheck:
    """Compare probabilities `(N, K)` of two models; a class that ties with the first one is it."""
    rows = np.arange(len(ours))
    behind = ours.max(axis=1) - ours[rows, theirs.argmax(axis=1)]
    return ExportCheck(
        images=images.kind,
        n=len(ours),
        same_class=int((behind <= TIE).sum()),
        largest_difference=float(np.abs(ours - theirs).max()),
    )


def refuse_other_answers(check: ExportCheck, ours: Floats, theirs: Floats) -> None:
    """Refuse a model that is not the same.

    Raises:
        RecordError: it takes an image for another class, or its probabilities are others.
    """
    far = np.abs(ours - theirs).max(axis=1) > MOST_DIFFERENCE
    if check.same_class == check.n and far.mean() <= MOST_SHARE:
        return
    raise RecordError(
        f"the exported model gives the same class to {check.same_class:,} of {check.n:,} images "
        f"({check.images}) and differs by up to {check.largest_difference:.2g} in a probability; "
        "nothing was kept; please report this with the output of 'smallvision doctor'"
    )


def check_outputs(path: Path, images: Images, layout: Layout, temperature: float) -> None:
    """Check that the probabilities of a graph are those of its logits, which the runner reads.

    Raises:
        RecordError: they are others.
    """
    session = open_session(path, 1)
    ordered = order_images(images[:OUTPUTS], layout)
    found, logits = session.run(["probabilities", "logits"], {"images": ordered})
    if not np.allclose(found, scale_logits(pool_members(logits), temperature), atol=1e-4):
        raise RecordError(
            "the probabilities of the exported graph are not those of its logits; nothing was "
            "kept; please report this with the output of 'smallvision doctor'"
        )
