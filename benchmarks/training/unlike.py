"""Measure which score tells images that are unlike all that a model was trained on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import typer

import smallvision as sv
from benchmarks.options import OUT, Out
from benchmarks.records import RESULTS, Measurement, Part, describe_here, describe_place, save
from benchmarks.tables import Table
from benchmarks.training.doubt_scores import (
    FEATURE_SCORES,
    LOGIT_SCORES,
    fit_space,
    measure_area,
    read_features,
)
from benchmarks.training.foreign_images import DRAWN, leave_out
from smallvision.cli.options import DataDir, SettingsOption
from smallvision.compute.machine import choose_machine
from smallvision.data.dataset import DataSet
from smallvision.data.split import Split, describe_split, make_split, read_split_record
from smallvision.errors import DataError, RecordError
from smallvision.format import format_count, format_percent, format_span, join_words
from smallvision.predict import SavedModel, load_model
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.layout import STATUS, is_finished
from smallvision.records.nofollow import exists
from smallvision.runs.finished_run import find_dataset
from smallvision.shapes import Floats, Images
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.probabilities.unlike import find_unlike, fit_limit
from smallvision.stats.rates import find_correct

INCLUDED = "cifar10"  # the model that comes with the package
REMEMBERED = 5_000  # training images whose features are kept
HELD_OUT = "classes left out"
USED = "energy"  # the score of the package


class DoubtScore(Part):
    """How well one score tells images of one kind."""

    area: float
    """Area under the ROC curve: how often the unlike image of two has the higher score."""
    interval: tuple[float, float]
    """DeLong's 95 % interval of the area."""
    caught: float
    """Share of the images beyond the limit that 95 % of the validation images keep."""
    caught_interval: tuple[float, float]
    """Wilson's 95 % interval of that share."""


class ForeignImages(Part):
    """Images of one kind that the model was not trained on."""

    kind: str
    """What they show."""
    n: int
    """Number of images."""
    scores: dict[str, DoubtScore]
    """By the name of the score."""


class DoubtingModel(Part):
    """One model, and what its scores say of images unlike its own."""

    name: str
    """Name of the model."""
    left_out: tuple[str, ...]
    """Classes that it was trained without, and meets here."""
    val_accuracy: float
    """On the validation images."""
    val_n: int
    """Validation images, which stand for those like the training images."""
    remembered: int
    """Training images whose features are kept."""
    images: tuple[ForeignImages, ...]
    """By kind."""


class UnlikeMeasurement(Measurement):
    """`unlike.json`: scores that could tell images unlike all that a model was trained on."""

    title: ClassVar[str] = "Images unlike those of training"

    kind: Literal["unlike"] = "unlike"
    models: tuple[DoubtingModel, ...]
    """The models."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """A table for each model."""
        return tuple(write_table(model, with_intervals=False) for model in self.models)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the score of the package catches."""
        return tuple(describe_caught(model) for model in self.models)


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that is to be measured, with images that it was trained on and others.

    Attributes:
        model: the model.
        data: whose training images it was trained on, and validated on.
        split: which images served for what.
        left_out: names of classes, and images of them.
    """

    model: SavedModel
    data: DataSet
    split: Split
    left_out: tuple[tuple[str, ...], Images] | None = None


def unlike(
    pairs: Annotated[
        int,
        typer.Option(min=0, max=5, help="Pairs of classes; a model is trained without each pair."),
    ] = 2,
    count: Annotated[
        int, typer.Option(min=2, help="The most images of each kind; digits are 1,438.")
    ] = 2_000,
    val: Annotated[int, typer.Option(min=2, help="The most validation images.")] = 5_000,
    settings: SettingsOption = None,
    runs: Annotated[
        Path, typer.Option(help="Folder of the models that are trained; finished ones are kept.")
    ] = OUT / "runs" / "unlike",
    data_dir: DataDir = None,
    out: Out = OUT,
) -> None:
    """Measure scores that tell images unlike those of training. CIFAR-10 is needed.

    The included model and models that were trained without two classes meet digits, patterns and
    noise, and the latter the classes that they do not know. What is like the training images is
    told by validation images; no test set is opened.
    """
    data = sv.load_data("cifar10", data_dir=data_dir)
    make_folder(out)  # an unwritable place is found before measuring
    machine = choose_machine(precision="fp32")
    subjects = [find_included(data), *train_without(data, pairs, settings or (), runs)]
    others: dict[str, Images] = {
        kind: draw(count, data.train.shape[1], np.random.default_rng(0))
        for kind, draw in DRAWN.items()
    }
    place = data_dir or os.environ.get("SMALLVISION_DATA")
    try:
        if place is not None:  # a folder that is named, so that nothing is downloaded
            others["CIFAR-100"] = sv.load_data("cifar100", data_dir=place).train.images[:count]
    except DataError:
        print("CIFAR-100 is not in the data folder and is left out.")
    record = UnlikeMeasurement(
        **describe_here(machine),
        models=tuple(measure_subject(subject, others, count, val) for subject in subjects),
    )
    save(record, out)


def find_included(data: DataSet) -> Subject:
    """The model that comes with the package, on the split it was trained on.

    Raises:
        RecordError: the images are split in another way now.
    """
    known = read_split_record(RESULTS / "pretrained")
    split = make_split(data.train, val=data.val, seed=known.seed)
    if describe_split(data, split).val_hash != known.val_hash:
        raise RecordError("the included model was validated on other images than these")
    return Subject(load_model(INCLUDED), data, split)


def train_without(
    data: DataSet, pairs: int, settings: Sequence[str], runs: Path
) -> Iterator[Subject]:
    """Train a model without each of some pairs of classes, which are drawn at random.

    Args:
        data: the data set.
        pairs: how many.
        settings: overrides of the recipe, `speednet`.
        runs: folder of the runs; what was finished there before is kept.
    """
    names = np.random.default_rng(0).permutation(data.train.class_names).tolist()
    for number in range(pairs):
        pair = tuple(sorted(names[2 * number : 2 * number + 2]))
        rest, images = leave_out(data, pair)
        folder = runs / "-".join(pair)
        if not is_finished(folder):
            resume = exists(folder / STATUS)
            sv.train(rest, "speednet", settings=settings, out=folder, resume=resume)
        dataset, split = find_dataset(folder, rest, None)
        yield Subject(load_model(folder), dataset, split, (pair, images))


def measure_subject(
    subject: Subject, others: Mapping[str, Images], count: int, most_val: int
) -> DoubtingModel:
    """Measure all scores of one model on all kinds of images.

    Args:
        subject: the model, and its own images.
        others: images of each kind.
        count: the most images of the classes that were left out.
        most_val: the most validation images.
    """
    model, train = subject.model, subject.data.train
    print(f"{model}: {subject.left_out[0] if subject.left_out else 'included'}", flush=True)
    remembered = np.random.default_rng(0).permutation(subject.split.train)[:REMEMBERED]
    space = fit_space(read_features(model, train.images[remembered]), train.labels[remembered])

    def score(images: Images) -> dict[str, Floats]:
        members, features = model.predict_member_logits(images), read_features(model, images)
        return {
            **{name: rule(members, model.temperature) for name, rule in LOGIT_SCORES.items()},
            **{name: np.asarray(rule(space, features)) for name, rule in FEATURE_SCORES.items()},
        }

    val = train.take(np.random.default_rng(0).permutation(subject.split.val)[:most_val])
    names, held_out = subject.left_out or ((), None)
    foreign = dict(others)
    if held_out is not None:
        foreign[HELD_OUT] = np.random.default_rng(0).permutation(held_out)[:count]
    like = score(np.asarray(val.images))
    return DoubtingModel(
        name=INCLUDED if subject.left_out is None else "speednet",
        left_out=names,
        val_accuracy=float(find_correct(model.predict(val.images), val.labels).mean()),
        val_n=len(val),
        remembered=len(remembered),
        images=tuple(
            ForeignImages(kind=kind, n=len(images), scores=compare(like, score(images)))
            for kind, images in foreign.items()
        ),
    )


def compare(like: Mapping[str, Floats], unlike: Mapping[str, Floats]) -> dict[str, DoubtScore]:
    """How well each score tells two sets of images apart."""
    found = {}
    for name, values in unlike.items():
        area, interval = measure_area(like[name], values)
        beyond = find_unlike(values, fit_limit(like[name]))
        assert beyond is not None, "there is a limit"
        count, n = int(beyond.sum()), len(beyond)
        found[name] = DoubtScore(
            area=area,
            interval=interval,
            caught=count / n,
            caught_interval=wilson_interval(count, n),
        )
    return found


def write_table(model: DoubtingModel, *, with_intervals: bool) -> Table:
    """The areas of one model, a row for each kind of images."""
    names = list(model.images[0].scores)
    rows = []
    for images in model.images:
        cells = [
            f"{one.area:.3f}"
            + (f" ({one.interval[0]:.3f} to {one.interval[1]:.3f})" if with_intervals else "")
            for one in (images.scores[name] for name in names)
        ]
        rows.append((images.kind, format_count(images.n), *cells))
    means = [np.mean([one.scores[name].area for one in model.images]) for name in names]
    rows.append(("mean", "", *(f"{mean:.3f}" for mean in means)))
    return Table(("images", "n", *names), rows)


def describe_caught(model: DoubtingModel) -> str:
    """How many images of each kind are beyond the limit of the score that the package uses."""
    caught = [
        f"{images.kind} {format_percent(images.scores[USED].caught)} "
        f"({format_span(images.scores[USED].caught_interval, images.n)})"
        for images in model.images
    ]
    return f"Called unlike, by the {USED} and a limit that 95 % of the validation images keep: " + (
        f"{join_words(caught)}."
    )


def write_block() -> Iterator[str]:
    """The tables of docs/UNLIKE.md."""
    record = store.read(RESULTS / "unlike" / "unlike.json", UnlikeMeasurement)
    for model in record.models:
        knows = f"trained without {' and '.join(model.left_out)}" if model.left_out else "included"
        yield (
            f"`{model.name}`, {knows}: {model.val_accuracy * 100:.2f} % of "
            f"{format_count(model.val_n)} validation images right."
        )
        yield ""
        yield write_table(model, with_intervals=True).markdown()
        yield ""
        yield describe_caught(model)
        yield ""
    yield describe_place(record.environment, record.machine, record.created) + "."
