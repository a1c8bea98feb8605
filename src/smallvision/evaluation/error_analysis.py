"""The errors of a model on validation images, and what they may have to do with.

The validation images have already been used to choose; looking at them costs nothing. The test
set stays sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from sklearn.metrics import confusion_matrix

from smallvision.data.contact_sheet import Picture, tile, write_pictures
from smallvision.data.storage.stored_images import ImageRows
from smallvision.display import Displayed
from smallvision.evaluation.gallery import build_gallery
from smallvision.predict import SavedModel, find_saliency, list_members
from smallvision.records import store
from smallvision.records.schema import (
    ConfidentError,
    ConfusedPair,
    ErrorAnalysisRecord,
    LabelIssue,
    LabelIssues,
    MemberDisagreement,
    PropertySlice,
    SaliencyMethod,
    ValidationImage,
)
from smallvision.records.schema.error_analysis import MOST_ISSUES
from smallvision.shapes import Floats, Images, Indices, Labels
from smallvision.stats.confident import find_label_issues
from smallvision.stats.disagreement import probability_spread, vote_entropy
from smallvision.stats.images.image_properties import (
    NEARNESS,
    NEARNESS_ENDS,
    PROPERTIES,
    measure_properties,
    to_grey,
)
from smallvision.stats.images.nearest_average import measure_nearness
from smallvision.stats.multiple import holm
from smallvision.stats.paired import Correct
from smallvision.stats.probabilities.logits import scale_logits
from smallvision.stats.rates import find_correct
from smallvision.stats.slices import (
    bin_accuracy,
    compare_bins,
    compare_within,
    place_values,
    say_slice,
)
from smallvision.text import show_name, show_text

Pictures: TypeAlias = dict[str, Picture]  # file name -> RGBA

ERRORS = "errors.json"
PAIRS, STRIP, CONFIDENT, DISAGREEMENTS, ISSUES = 10, 8, 24, 12, 24  # pictures at most, of each
DIMMED, GLOW = 0.5, np.array([0.9, 0.32, 0.0], dtype=np.float32)  # of an overlay: grey, orange


@dataclass(frozen=True, eq=False)
class ErrorAnalysis(Displayed):
    """A model's errors as figures and pictures; shows itself in a notebook.

    Attributes:
        record: the content of `errors.json`.
        pictures: file name -> RGBA picture `(height, width, 4)` at native pixel size.
    """

    record: ErrorAnalysisRecord
    pictures: Pictures

    def __repr__(self) -> str:
        record = self.record
        return "\n".join(
            [
                f"ErrorAnalysis({show_name(record.model)}: {record.errors:,} errors on "
                f"{record.n:,} validation images)",
                *(show_text(line.sentence) for line in record.slices),
            ]
        )

    def write(self, folder: Path) -> None:
        """Write the pictures, and `errors.json` after them.

        Raises:
            RecordError: the folder cannot be written.
        """
        write_pictures(folder, self.pictures)
        store.write(folder / ERRORS, self.record)


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Validation images, and how the records name each of them.

    Attributes:
        images: uint8 `(N, C, H, W)`, none of them trained on.
        labels: int64 `(N,)`.
        indices: int64 `(N,)`, numbers as in `split.npz`.
        class_names: K names.
        averages: `(K, C * H * W)`, the mean training image of each class, NaN for a class without
            any; None where nobody measured it.
        files: N texts, what the file of each image is called; None where images are no files.
    """

    images: ImageRows
    labels: Labels
    indices: Indices
    class_names: tuple[str, ...]
    averages: Floats | None = None
    files: tuple[str, ...] | None = None

    def name(self, i: int) -> ValidationImage:
        """How records name the image at a position."""
        file = None if self.files is None else self.files[i]
        return ValidationImage(index=int(self.indices[i]), source_file=file)


def analyse_errors(
    model: SavedModel, val: LabelledImages, *, name: str, probabilities: Floats | None = None
) -> ErrorAnalysis:
    """Look at a model's errors on validation images.

    Args:
        model: a single network or an ensemble.
        val: the images.
        name: of the model, for the record.
        probabilities: `(N, K)`, if the model's predictions are known already.
    """
    if probabilities is None:
        probabilities = model.predict(val.images)
    correct = find_correct(probabilities, val.labels)
    pictures: Pictures = {}
    worst, method = find_confident_errors(model, val, probabilities, pictures)
    gallery, sheet = build_gallery(model, val.images, val.labels, val.indices, probabilities)
    pictures[gallery.file] = sheet
    record = ErrorAnalysisRecord(
        model=name,
        class_names=val.class_names,
        n=len(val.labels),
        errors=int((~correct).sum()),
        pairs=find_confused_pairs(val, probabilities, pictures),
        worst=worst,
        saliency=method,
        disagreements=find_disagreements(model, val, pictures),
        label_issues=find_suspect_labels(val, probabilities, pictures),
        slices=slice_properties(measure_all(val), correct, val.labels),
        gallery=gallery,
    )
    return ErrorAnalysis(record, pictures)


def find_confused_pairs(
    val: LabelledImages, probabilities: Floats, pictures: Pictures
) -> tuple[ConfusedPair, ...]:
    """The pairs of classes confused most often, either way round, the commoner way first.

    Adds to `pictures` a strip of the most confident errors of each way round.
    """
    predicted = probabilities.argmax(axis=1)
    classes = np.arange(len(val.class_names))
    confusion = confusion_matrix(val.labels, predicted, labels=classes)
    both = np.triu(confusion + confusion.T, k=1)

    def draw_strip(label: int, answer: int, file: str) -> str | None:
        members = np.flatnonzero((val.labels == label) & (predicted == answer))
        shown = members[np.argsort(-probabilities[members, answer], kind="stable")][:STRIP]
        if not len(shown):
            return None
        pictures[file] = tile(val.images[shown], STRIP)
        return file

    pairs: list[ConfusedPair] = []
    for rank, flat in enumerate(np.argsort(-both, axis=None, kind="stable")[:PAIRS]):
        true, other = (int(k) for k in np.unravel_index(flat, both.shape))
        if not both[true, other]:
            break
        if confusion[true, other] < confusion[other, true]:
            true, other = other, true
        pairs.append(
            ConfusedPair(
                true=true,
                predicted=other,
                count=int(confusion[true, other]),
                reverse_count=int(confusion[other, true]),
                file=draw_strip(true, other, f"pair-{rank}.png"),
                reverse_file=draw_strip(other, true, f"pair-{rank}-reverse.png"),
            )
        )
    return tuple(pairs)


def find_confident_errors(
    model: SavedModel, val: LabelledImages, probabilities: Floats, pictures: Pictures
) -> tuple[tuple[ConfidentError, ...], SaliencyMethod | None]:
    """The errors made with the most confidence, and how their saliency was found.

    Adds to `pictures` each image, and what the model looked at for the class it named.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != val.labels)
    confidence = probabilities.max(axis=1)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:CONFIDENT]
    if not len(worst):
        return (), None
    heat, method = find_saliency(model, val.images[worst], predicted[worst])
    overlays = overlay_heat(val.images[worst], heat)
    shown: list[ConfidentError] = []
    for rank, i in enumerate(worst):
        file, saliency = f"worst-{rank:02d}.png", f"worst-{rank:02d}-saliency.png"
        pictures[file] = tile(val.images[i : i + 1], 1)
        pictures[saliency] = tile(overlays[rank : rank + 1], 1)
        shown.append(
            val.name(i).extend(
                ConfidentError,
                true=int(val.labels[i]),
                predicted=int(predicted[i]),
                confidence=float(confidence[i]),
                true_probability=float(probabilities[i, val.labels[i]]),
                file=file,
                saliency=saliency,
            )
        )
    return tuple(shown), method


def overlay_heat(images: Images, heat: Floats) -> Images:
    """Lay heat maps over images: dim and grey throughout, glowing where the evidence is.

    Dimming the image first keeps the glow readable on bright and on orange images alike.

    Args:
        images: uint8 `(N, C, H, W)`.
        heat: `(N, H, W)` in [0, 1].

    Returns: uint8 `(N, 3, H, W)`.
    """
    dim = to_grey(images)[:, None] * DIMMED
    lit = dim + heat[:, None] ** 1.5 * GLOW[None, :, None, None]
    return np.asarray(np.rint(lit.clip(0, 1) * 255), dtype=np.uint8)


def find_disagreements(
    model: SavedModel, val: LabelledImages, pictures: Pictures
) -> tuple[MemberDisagreement, ...]:
    """The images on which an ensemble's members disagree most; none for a single network.

    In order of the entropy of their votes, then of the spread of their probabilities. Adds each
    image to `pictures`.
    """
    if len(list_members(model.network)) < 2:
        return ()
    members = scale_logits(model.predict_member_logits(val.images), model.temperature)
    votes, entropies = members.argmax(axis=2), vote_entropy(members)
    order = np.lexsort((-probability_spread(members), -entropies))[:DISAGREEMENTS]
    shown: list[MemberDisagreement] = []
    for rank, i in enumerate(order[entropies[order] > 0]):
        file = f"disagreement-{rank:02d}.png"
        pictures[file] = tile(val.images[i : i + 1], 1)
        shown.append(
            val.name(i).extend(
                MemberDisagreement,
                true=int(val.labels[i]),
                votes=tuple(votes[:, i].tolist()),
                file=file,
            )
        )
    return tuple(shown)


def find_suspect_labels(
    val: LabelledImages, probabilities: Floats, pictures: Pictures
) -> LabelIssues:
    """How many labels may be wrong, and the most suspicious; adds their images to `pictures`."""
    issues = find_label_issues(probabilities, val.labels)
    suspects = zip(issues.positions[:MOST_ISSUES], issues.suggested[:MOST_ISSUES], strict=True)
    shown: list[LabelIssue] = []
    for rank, (i, suggested) in enumerate(suspects):
        file = f"label-{rank:02d}.png" if rank < ISSUES else None
        if file is not None:
            pictures[file] = tile(val.images[i : i + 1], 1)
        shown.append(
            val.name(i).extend(
                LabelIssue,
                given=int(val.labels[i]),
                suggested=int(suggested),
                probability=float(probabilities[i, suggested]),
                file=file,
            )
        )
    return LabelIssues(estimate=issues.estimate, images=tuple(shown))


def measure_all(val: LabelledImages) -> dict[str, Floats]:
    """Whatever can be measured of each image, by name."""
    found = measure_properties(val.images)
    if val.averages is not None:
        found[NEARNESS] = measure_nearness(val.images, val.labels, val.averages)
    return found


def slice_properties(
    properties: dict[str, Floats], correct: Correct, labels: Labels
) -> tuple[PropertySlice, ...]:
    """Accuracy along each measured property, over all images and within classes.

    The p-values of both tests of all properties are corrected together.
    """
    names = list(properties)
    places = [place_values(values) for values in properties.values()]
    binned = [
        bin_accuracy(values, correct, where)
        for values, where in zip(properties.values(), places, strict=True)
    ]
    within = [compare_within(where, correct, labels) for where in places]
    adjusted = holm([*map(compare_bins, binned), *within]).tolist()
    ends = PROPERTIES | {NEARNESS: NEARNESS_ENDS}
    return tuple(
        PropertySlice(
            name=name,
            bins=tuple(bins),
            p=p,
            p_within=inner,
            sentence=say_slice(name, bins, p, inner, ends[name]),
        )
        for name, bins, p, inner in zip(
            names, binned, adjusted[: len(names)], adjusted[len(names) :], strict=True
        )
    )
