"""What an exported file says of itself: for the runner, and for people who open it."""

from __future__ import annotations

import json

from smallvision.exporting.options import ExportOptions
from smallvision.exporting.source import ExportSource
from smallvision.predict.ensemble import list_members
from smallvision.predict.tta import UNCERTAIN
from smallvision.records import store
from smallvision.records.schema import ServedModel
from smallvision.serving.runner import ABOUT

ORDER = {"nhwc": "N, height, width, channels", "nchw": "N, channels, height, width"}
FITTED = {
    "crop": "cut to the shape around their middle, and resized",
    "pad": "resized to fit, and filled up with the colour of their edges",
    "stretch": "resized, which distorts them",
}


def describe_served(source: ExportSource, options: ExportOptions) -> ServedModel:
    """What a file has to say of a model, so that pictures are answered as here."""
    model = source.model
    return ServedModel(
        name=source.name,
        class_names=model.class_names,
        shape=model.shape,
        layout=options.layout,
        weights=options.weights,
        members=len(list_members(model.network)),
        temperature=model.temperature,
        tta=model.tta.record(),
        uncertain=UNCERTAIN,
        fit=model.fit,
        bits=model.bits,
        unlike=model.unlike,
        sets=model.sets,
        fingerprint=model.fingerprint,
        licence=options.licence or source.licence,
    )


def spell_about(about: ServedModel) -> str:
    """The text that the runner reads, one line of JSON."""
    return store.dump_line(about.model_dump(mode="json")).rstrip("\n")


def list_entries(about: ServedModel) -> dict[str, str]:
    """The entries of a file's metadata: the runner's own, and the same for people."""
    C, H, W = about.shape
    return {
        ABOUT: spell_about(about),
        "name": about.name,
        "class_names": json.dumps(about.class_names, ensure_ascii=False),
        "input": f"uint8 images ({ORDER[about.layout]}) of {W}x{H} pixels in {C} channels, 0 to "
        "255; normalisation is part of the graph",
        "output": "probabilities (N, classes), calibrated; logits (members, N, classes)",
        "preparation": f"pictures of another shape are {FITTED[about.fit]}",
        "uncertain_images": describe_doubt(about),
        "unlike_images": describe_unlike(about),
        "weights": about.weights,
        "temperature": f"{about.temperature:g}",
        "licence": about.licence or "nothing was said",
        "fingerprint": about.fingerprint,
    }


def describe_doubt(about: ServedModel) -> str:
    """What is left to the caller where a member is uncertain, in words."""
    if not about.tta.shift:
        return "answered as all others; the probabilities of the graph are the answer"
    return (
        f"where the two largest logits of a member differ by less than {about.uncertain:g}, its "
        "logits are averaged with the mean of those of two copies of the image, which are shifted "
        f"by {count_pixels(about)} down and right, and up and left, with mirrored pixels at the "
        "border; the answer is the softmax of the logits divided by the temperature, of several "
        "members that of the logarithm of their mean probability"
    )


def count_pixels(about: ServedModel) -> str:
    """How far uncertain images are shifted, in words."""
    return "1 pixel" if about.tta.shift == 1 else f"{about.tta.shift} pixels"


def describe_unlike(about: ServedModel) -> str:
    """How an image is known that is unlike all that the model was trained on, in words."""
    if about.unlike is None:
        return "cannot be told: no validation images were at hand"
    return (
        "an image is unlike all that the model was trained on where minus the logarithm of the sum "
        f"of the exponentials of its logits, averaged over members, is above {about.unlike.limit:g}"
    )
