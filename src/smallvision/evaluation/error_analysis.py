"""What a model gets wrong on validation images, and what that may have to do with.

The validation images have already been used to choose; looking at them costs nothing. The test
set stays sealed.
"""

from __future__ import annotations

import base64
import html
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from sklearn.metrics import confusion_matrix

from smallvision.data.contact_sheet import Picture, encode_png, tile
from smallvision.evaluation.image_properties import PROPERTIES, measure_properties, to_grey
from smallvision.predict import SavedModel, find_saliency, list_members, predict_members
from smallvision.records.files import make_folder, write_bytes, write_json
from smallvision.shapes import Floats, Images, Indices, Labels
from smallvision.stats import find_correct
from smallvision.stats.confident import find_label_issues
from smallvision.stats.disagreement import probability_spread, vote_entropy
from smallvision.stats.multiple import holm
from smallvision.stats.paired import Correct
from smallvision.stats.slices import bin_accuracy, compare_bins, say_slice

Pictures: TypeAlias = dict[str, Picture]  # file name -> RGBA

ERRORS = "errors.json"
PAIRS, STRIP, WORST, DISAGREEMENTS, ISSUES = 10, 8, 24, 12, 24  # at most, of each
DIMMED, GLOW = 0.5, np.array([0.9, 0.32, 0.0], dtype=np.float32)  # of an overlay: grey, orange


@dataclass(frozen=True, eq=False)
class ErrorAnalysis:
    """A model's errors as figures and pictures; shows itself in a notebook.

    Attributes:
        record: the content of `errors.json`.
        pictures: file name -> RGBA picture `(height, width, 4)` at native pixel size.
    """

    record: dict[str, Any]
    pictures: Pictures

    def __repr__(self) -> str:
        return "\n".join(
            [
                f"ErrorAnalysis({self.record['model']}: {self.record['errors']:,} errors on "
                f"{self.record['n']:,} validation images)",
                *(line["sentence"] for line in self.record["slices"]),
            ]
        )

    def _repr_html_(self) -> str:
        names = self.record["class_names"]
        style = "image-rendering:pixelated;height:6em"
        rows = "".join(
            f"<tr><td>{html.escape(names[pair['true']])} taken for "
            f"{html.escape(names[pair['predicted']])}</td><td>{pair['count']}</td>"
            f'<td><img alt="the images" style="{style}" src="data:image/png;base64,'
            f'{base64.b64encode(encode_png(self.pictures[pair["file"]])).decode()}"></td></tr>'
            for pair in self.record["pairs"][:3]
        )
        said = "".join(f"<p>{html.escape(line)}</p>" for line in repr(self).split("\n"))
        return f"{said}<table>{rows}</table>"

    def write(self, folder: Path) -> None:
        """Write the pictures, and `errors.json` after them.

        Raises:
            RecordError: the folder cannot be written.
        """
        make_folder(folder)
        for name, picture in self.pictures.items():
            write_bytes(folder / name, encode_png(picture))
        write_json(folder / ERRORS, self.record)


def analyse_errors(
    model: SavedModel,
    images: Images,
    labels: Labels,
    indices: Indices,
    class_names: tuple[str, ...],
    *,
    name: str,
    probabilities: Floats | None = None,
) -> ErrorAnalysis:
    """Look at a model's errors on validation images.

    Args:
        model: a single network or an ensemble.
        images: uint8 `(N, C, H, W)`, none of them trained on.
        labels: int64 `(N,)`.
        indices: int64 `(N,)`, how the records name each image.
        class_names: K names.
        name: of the model, for the record.
        probabilities: `(N, K)`, if the model's predictions are known already.
    """
    if probabilities is None:
        probabilities = model.predict(images)
    correct = find_correct(probabilities, labels)
    pairs, pair_pictures = show_pairs(images, labels, probabilities, len(class_names))
    worst, method, worst_pictures = show_worst(model, images, labels, indices, probabilities)
    torn, torn_pictures = show_disagreements(model, images, labels, indices)
    issues, issue_pictures = show_issues(images, labels, indices, probabilities)
    record = {
        "schema": 1,
        "on": "val",
        "model": name,
        "class_names": list(class_names),
        "n": len(labels),
        "errors": int((~correct).sum()),
        "pairs": pairs,
        "worst": worst,
        "saliency": method,
        "disagreements": torn,
        "label_issues": issues,
        "slices": slice_properties(measure_properties(images), correct),
    }
    return ErrorAnalysis(record, pair_pictures | worst_pictures | torn_pictures | issue_pictures)


def show_pairs(
    images: Images,
    labels: Labels,
    probabilities: Floats,
    num_classes: int,
) -> tuple[list[dict[str, Any]], Pictures]:
    """The pairs of classes confused most often, either way round, the commoner way first.

    Returns: the pairs, and for each way round a strip of its most confident errors.
    """
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, labels=np.arange(num_classes))
    both = np.triu(confusion + confusion.T, k=1)
    pairs: list[dict[str, Any]] = []
    pictures: Pictures = {}
    for rank, flat in enumerate(np.argsort(-both, axis=None, kind="stable")[:PAIRS]):
        true, other = (int(k) for k in np.unravel_index(flat, both.shape))
        if not both[true, other]:
            break
        if confusion[true, other] < confusion[other, true]:
            true, other = other, true
        files = {"file": (true, other), "reverse_file": (other, true)}
        entry: dict[str, Any] = {
            "true": true,
            "predicted": other,
            "count": int(confusion[true, other]),
            "reverse_count": int(confusion[other, true]),
        }
        for key, (label, answer) in files.items():
            members = np.flatnonzero((labels == label) & (predicted == answer))
            shown = members[np.argsort(-probabilities[members, answer], kind="stable")][:STRIP]
            reverse = "-reverse" if key == "reverse_file" else ""
            entry[key] = f"pair-{rank}{reverse}.png" if len(shown) else None
            if len(shown):
                pictures[entry[key]] = tile(images[shown], STRIP)
        pairs.append(entry)
    return pairs, pictures


def show_worst(
    model: SavedModel,
    images: Images,
    labels: Labels,
    indices: Indices,
    probabilities: Floats,
) -> tuple[list[dict[str, Any]], str | None, Pictures]:
    """The errors made with the most confidence.

    Returns: the errors, how their saliency was found, and pictures of each image and of what the
        model looked at for the class it named.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    confidence = probabilities.max(axis=1)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
    if not len(worst):
        return [], None, {}
    heat, method = find_saliency(model, images[worst], predicted[worst])
    overlays = overlay_heat(images[worst], heat)
    shown: list[dict[str, Any]] = []
    pictures: Pictures = {}
    for rank, i in enumerate(worst):
        file, saliency = f"worst-{rank:02d}.png", f"worst-{rank:02d}-saliency.png"
        pictures[file] = tile(images[i : i + 1], 1)
        pictures[saliency] = tile(overlays[rank : rank + 1], 1)
        shown.append(
            {
                "index": int(indices[i]),
                "true": int(labels[i]),
                "predicted": int(predicted[i]),
                "confidence": float(confidence[i]),
                "true_probability": float(probabilities[i, labels[i]]),
                "file": file,
                "saliency": saliency,
            }
        )
    return shown, method, pictures


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


def show_disagreements(
    model: SavedModel,
    images: Images,
    labels: Labels,
    indices: Indices,
) -> tuple[list[dict[str, Any]], Pictures]:
    """The images on which an ensemble's members disagree most; none for a single network.

    In order of the entropy of their votes, then of the spread of their probabilities.
    """
    if len(list_members(model.network)) < 2:
        return [], {}
    members = predict_members(model, images)
    votes, entropies = members.argmax(axis=2), vote_entropy(members)
    order = np.lexsort((-probability_spread(members), -entropies))[:DISAGREEMENTS]
    shown: list[dict[str, Any]] = []
    pictures: Pictures = {}
    for rank, i in enumerate(order[entropies[order] > 0]):
        file = f"disagreement-{rank:02d}.png"
        pictures[file] = tile(images[i : i + 1], 1)
        shown.append(
            {
                "index": int(indices[i]),
                "true": int(labels[i]),
                "votes": votes[:, i].tolist(),
                "file": file,
            }
        )
    return shown, pictures


def show_issues(
    images: Images,
    labels: Labels,
    indices: Indices,
    probabilities: Floats,
) -> tuple[dict[str, Any], Pictures]:
    """How many labels may be wrong, and the most suspicious of them."""
    issues = find_label_issues(probabilities, labels)
    shown: list[dict[str, Any]] = []
    pictures: Pictures = {}
    for rank, (i, suggested) in enumerate(
        zip(issues.positions[:ISSUES], issues.suggested[:ISSUES], strict=True)
    ):
        file = f"label-{rank:02d}.png"
        pictures[file] = tile(images[i : i + 1], 1)
        shown.append(
            {
                "index": int(indices[i]),
                "given": int(labels[i]),
                "suggested": int(suggested),
                "probability": float(probabilities[i, suggested]),
                "file": file,
            }
        )
    return {"estimate": issues.estimate, "images": shown}, pictures


def slice_properties(properties: dict[str, Floats], correct: Correct) -> list[dict[str, Any]]:
    """Accuracy along each measured property, with p-values corrected for all of them."""
    binned = {name: bin_accuracy(values, correct) for name, values in properties.items()}
    adjusted = holm([compare_bins(bins) for bins in binned.values()])
    slices = []
    for (name, bins), p in zip(binned.items(), adjusted.tolist(), strict=True):
        low, high = PROPERTIES[name]
        slices.append(
            {
                "name": name,
                "bins": [{**asdict(part), "interval": list(part.interval)} for part in bins],
                "p": p,
                "sentence": say_slice(name, bins, p, low=low, high=high, looks=len(binned)),
            }
        )
    return slices
