"""What the server answers, as its OpenAPI description shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from smallvision.records.schema.measures import Rate
from smallvision.records.store import VERSION
from smallvision.serving.runner import PictureAnswer, Runner
from smallvision.serving.workers import Refusal
from smallvision.stats.probabilities.answers import name_set, rank_classes

EXAMPLE: JsonDict = {
    "schema": VERSION,
    "model": "cifar10",
    "pictures": [
        {
            "file": "felix.jpg",
            "class": "cat",
            "probabilities": {"cat": 0.91, "dog": 0.06},
            "unlike": False,
        },
        {"file": "notes.txt", "error": "notes.txt is no PNG, JPEG, … picture"},
    ],
}


class ServedAnswer(BaseModel):
    """Part of an answer of the server."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, protected_namespaces=())


class AnsweredPicture(ServedAnswer):
    """A picture that was answered."""

    file: Annotated[str, Field(description="Name of the file, without folders.")]
    class_name: Annotated[str, Field(alias="class", description="The most probable class.")]
    probabilities: Annotated[
        dict[str, float],
        Field(description="Calibrated probability by class, the most probable first."),
    ]
    unlike: Annotated[
        bool | None,
        Field(
            description="Whether the picture is unlike all that the model was trained on; null "
            "where the model cannot tell."
        ),
    ]
    set: Annotated[
        list[str] | None,
        Field(
            description="With `set=RATE`: the classes among which the right one is, but for that "
            "share of pictures like those of the training."
        ),
    ] = None


class RefusedPicture(ServedAnswer):
    """A picture, of several, that was not answered."""

    file: Annotated[str, Field(description="Name of the file, without folders.")]
    error: Annotated[str, Field(description="Why, in one line.")]


class ClassifiedPictures(ServedAnswer):
    """Answers in the order of the pictures."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    schema_version: Annotated[int, Field(alias="schema", description="Version of this format.")]
    model: Annotated[str, Field(description="Name of the model.")]
    pictures: list[AnsweredPicture | RefusedPicture]


class ServedAccuracy(ServedAnswer):
    """How often the model is right on validation images, as its export measured it."""

    share: Annotated[float, Field(description="Of the images that are classified correctly.")]
    interval: Annotated[tuple[float, float], Field(description="95 % interval of the share.")]
    n: Annotated[int, Field(description="Validation images.")]


class AboutModel(ServedAnswer):
    """The model that answers."""

    schema_version: Annotated[int, Field(alias="schema", description="Version of this format.")]
    name: Annotated[str, Field(description="Name of the model.")]
    class_names: Annotated[tuple[str, ...], Field(description="In label order.")]
    shape: Annotated[
        tuple[int, int, int], Field(description="Channels, height and width of its images.")
    ]
    members: Annotated[int, Field(description="Networks that answer as one.")]
    weights: Annotated[str, Field(description="Type of the weights.")]
    accuracy: Annotated[
        ServedAccuracy | None, Field(description="On validation images; null where not known.")
    ]
    unlike: Annotated[bool, Field(description="Whether it tells of unlike pictures.")]
    error_rates: Annotated[
        tuple[float, ...], Field(description="For which `set=RATE` gives prediction sets.")
    ]
    licence: Annotated[str, Field(description="Of the model; empty where nothing was said.")]
    fingerprint: Annotated[str, Field(description="Of the saved model that was exported.")]


class Health(ServedAnswer):
    """State of the server."""

    status: Annotated[str, Field(description="ok, ready, starting or draining.")]


class Problem(ServedAnswer):
    """How a request was wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


def describe_picture(
    runner: Runner, found: PictureAnswer | Refusal, top: int | None, least: float | None
) -> AnsweredPicture | RefusedPicture:
    """What is told of a picture.

    Args:
        runner: that answered.
        found: its answer.
        top: how many classes to tell, or None for all.
        least: the probability from which a class belongs to the prediction set; None for no set.
    """
    if isinstance(found, Refusal):
        return RefusedPicture(file=found.name, error=found.reason)
    names, probabilities = runner.class_names, found.probabilities
    return AnsweredPicture(
        file=found.name,
        class_name=found.class_name,
        probabilities=dict(rank_classes(names, probabilities, top)),
        unlike=found.is_unlike,
        set=None if least is None else list(name_set(names, probabilities, least)),
    )


def describe_model(runner: Runner, val: Rate | None) -> AboutModel:
    """What is told of a model.

    Args:
        runner: that answers with it.
        val: its accuracy on validation images, where it is known.
    """
    about = runner.about
    accuracy = val and ServedAccuracy(share=val.accuracy, interval=val.interval, n=val.n)
    return AboutModel(
        schema_version=VERSION,
        name=about.name,
        class_names=about.class_names,
        shape=about.shape,
        members=about.members,
        weights=about.weights,
        accuracy=accuracy,
        unlike=about.unlike is not None,
        error_rates=about.sets.error_rates if about.sets else (),
        licence=about.licence,
        fingerprint=about.fingerprint,
    )
