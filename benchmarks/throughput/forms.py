"""Compare the models that one study can hand over: their accuracy, size and time for an image."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

import numpy as np
import typer

import smallvision as sv
from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import BENCH, Measurement, Part, describe_here, describe_place, save
from benchmarks.tables import Table
from benchmarks.throughput.serving import find_median, take_turns
from benchmarks.throughput.timing import Timing
from smallvision.compute.machine import choose_machine
from smallvision.errors import SettingError
from smallvision.format import format_count
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.schema import Rate
from smallvision.records.schema.models.exported import WeightType
from smallvision.serving.runner import Runner

BATCH, BATCHES = 64, 4  # images of a round: a batch one by one, and some batches


class Form(Part):
    """A model with weights of one type, exported to ONNX."""

    model: str
    """Name of the model."""
    weights: WeightType
    """Type that the weights are stored as."""
    bytes: int
    """Size of the file."""
    images: Literal["validation", "labelled"]
    """Images of `val`: those that its run kept to validate on, or labelled ones that it may have
    been trained on."""
    val: Rate
    """Accuracy on them."""
    one: Timing
    """Seconds for an image, one after the other, by one thread."""
    batch: Timing
    """Seconds for an image in batches of 64, by one thread."""


class FormsRecord(Measurement):
    """`forms.json`: some models, each with every type of weights, all measured in turns."""

    title: ClassVar[str] = "Models to hand over"

    kind: Literal["forms"] = "forms"
    forms: tuple[Form, ...]
    """In the order in which they were named, those of a model side by side."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return (
            Table(
                ("model, weights", "accuracy, %", "n", "MB", "ms, one", "ms, of 64"),
                [(f"{form.model}, {form.weights}", *show(form)) for form in self.forms],
                [1 - form.val.accuracy for form in self.forms],
            ),
        )


def show(form: Form) -> tuple[str, ...]:
    """The figures of a form as text."""
    low, high = (100 * bound for bound in form.val.interval)
    return (
        f"{100 * form.val.accuracy:.2f} ({low:.2f} to {high:.2f})",
        format_count(form.val.n),
        f"{form.bytes / 1e6:.2f}",
        f"{form.one.median * 1e3:.2f}",
        f"{form.batch.median * 1e3:.2f}",
    )


def forms(
    models: Annotated[
        list[str], typer.Argument(help="Runs, studies, ensembles, or names of included models.")
    ],
    names: Annotated[
        str, typer.Option(help="What the table calls them, separated by commas.")
    ] = "",
    data: Annotated[
        str | None, typer.Option(help="The data set, where a model does not remember it.")
    ] = None,
    rounds: Rounds = 5,
    out: Out = OUT,
) -> None:
    """Compare models with weights in fp32, fp16 and int8."""
    called = names.split(",") if names else [Path(model).name for model in models]
    if len(called) != len(models):
        raise SettingError(f"--names has {len(called)} names, for {len(models)} models")
    make_folder(out)  # an unwritable place is found before measuring
    about = describe_here(choose_machine(precision="fp32"))
    with tempfile.TemporaryDirectory() as place:
        exported = {
            (name, weights): sv.export(
                model, out=Path(place) / name / weights, data=data, weights=weights, tolerance=1.0
            )
            for name, model in zip(called, models, strict=True)
            for weights in get_args(WeightType)
        }
        files = {key: each.folder / "model.onnx" for key, each in exported.items()}
        timings = time_all(files, rounds)
        found = []
        for (name, weights), each in exported.items():
            record, rate = each.record, each.record.val
            if weights == "fp32":  # which an export compares by its answers alone
                record = exported[name, "fp16"].record
                rate = record.val_before
            if rate is None or record.check.images == "made up":
                raise SettingError(f"there are no labelled images for {name}; name --data")
            found.append(
                Form(
                    model=name,
                    weights=weights,
                    bytes=each.record.sizes[0],
                    images=record.check.images,
                    val=rate,
                    one=timings[name, weights, 1],
                    batch=timings[name, weights, BATCH],
                )
            )
    save(FormsRecord(**about, forms=tuple(found)), out)


Key = tuple[str, WeightType]


def time_all(files: dict[Key, Path], rounds: int) -> dict[tuple[str, WeightType, int], Timing]:
    """Time each file on single images and on batches, in turns.

    Returns: for each name, type of weights and number of images at once.
    """
    jobs: dict[tuple[str, WeightType, int], Callable[[], float]] = {}
    for (name, weights), path in files.items():
        runner = Runner(path)
        pixels = np.random.default_rng(0).integers(
            0, 256, (BATCH, *runner.about.shape), dtype=np.uint8
        )
        jobs[name, weights, 1] = partial(find_median, runner.predict, [*pixels[:, None]])
        jobs[name, weights, BATCH] = partial(time_batches, runner, pixels)
    return take_turns(jobs, rounds)


def time_batches(runner: Runner, pixels: np.ndarray) -> float:
    """Median seconds for an image of a batch."""
    return find_median(runner.predict, [pixels] * BATCHES) / BATCH


def write_block() -> Iterator[str]:
    """What was measured on each machine, for docs/EXPORT.md."""
    for path in sorted(BENCH.glob("*/forms.json")):
        record = store.read(path, FormsRecord)
        yield f"On {describe_place(record.environment, record.machine, record.created)}:"
        yield ""
        yield "| model | weights | accuracy, % (95 %) | images | MB | ms, one | ms, of 64 |"
        yield "|---|---|---|---|---|---|---|"
        for form in record.forms:
            accuracy, n, *rest = show(form)
            cells = (form.model, form.weights, accuracy, f"{n} {form.images}", *rest)
            yield f"| {' | '.join(cells)} |"
