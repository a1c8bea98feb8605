"""Measure 3x3 convolutions by FFT beside direct ones.

The bounds in `smallvision/models/convolution.py` rest on these figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import torch
import typer
from torch import Tensor
from torch.nn import functional as F

from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import BENCH, Measurement, Part, describe_here, describe_place, save
from benchmarks.tables import Table
from benchmarks.throughput.timing import Job, Throughput, count_repeats, measure_in_turns, repeat
from smallvision.compute.machine import choose_machine
from smallvision.errors import SettingError
from smallvision.models.fft_conv import FftConv, operation_ratio
from smallvision.records import store
from smallvision.records.files import make_folder

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
MODES = ("training", "forwards")

# Where it is found, images, channels, filters, pixels a side.
LAYERS = (
    ("speednet", 250, 24, 64, 31),
    ("speednet", 250, 64, 64, 15),
    ("speednet", 250, 64, 256, 15),
    ("speednet", 250, 64, 256, 13),
    ("speednet", 250, 256, 256, 7),
    ("speednet", 250, 256, 256, 6),
    ("speednet", 250, 256, 256, 3),
    ("vgg10", 128, 64, 64, 16),
    ("vgg10", 128, 128, 128, 8),
    ("WRN-10-2", 128, 32, 32, 32),
    ("WRN-10-2", 128, 64, 64, 16),
    ("WRN-16-8", 128, 128, 128, 32),
    ("WRN-16-8", 128, 256, 256, 16),
    ("WRN-16-8", 128, 512, 512, 8),
)


class Layer(Part):
    """One convolution, computed directly and by FFT."""

    network: str
    """A network that has it."""
    images: int
    """Images at a time."""
    channels: int
    """Input channels."""
    filters: int
    """Output channels."""
    side: int
    """Pixels a side."""
    operations: float
    """Operations of a direct convolution divided by those of one by FFT, without gradients."""
    training: float
    """Speed of a convolution by FFT divided by that of a direct one, with both gradients."""
    forwards: float
    """The same without gradients."""
    errors: dict[str, tuple[float, float]]
    """By method, the relative errors of the result and of the gradient of the filters."""
    rates: dict[str, Throughput]
    """By method and mode."""


class ConvolutionsRecord(Measurement):
    """`convolutions-PRECISION.json`: convolutions, direct and by FFT."""

    title: ClassVar[str] = "Convolutions"

    kind: Literal["convolutions"] = "convolutions"
    layers: tuple[Layer, ...]
    """In the order of `LAYERS`."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        return (f"Of convolutions by FFT {self.describe_errors()}.",)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return (tabulate([("speed, training and forwards", self)]),)

    def describe_errors(self) -> str:
        """The largest errors of both methods."""
        fft, direct = (
            max(max(layer.errors[method]) for layer in self.layers) for method in ("fft", "direct")
        )
        return f"the relative error is at most {fft:.0e}, of direct ones {direct:.0e}"


def convolve_directly(x: Tensor, weight: Tensor) -> Tensor:
    """The convolution of torch."""
    return F.conv2d(x, weight, padding=1)


def convolve_by_fft(x: Tensor, weight: Tensor) -> Tensor:
    """Products of Fourier transforms."""
    out: Tensor = FftConv.apply(x, weight, False)  # type: ignore[no-untyped-call]
    return out


METHODS = {"direct": convolve_directly, "fft": convolve_by_fft}
Tensors = tuple[Tensor, Tensor, Tensor]  # images, filters, and a gradient of the output


def convolutions(
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    rounds: Rounds = 7,
    out: Out = OUT,
) -> None:
    """Measure 3x3 convolutions by FFT beside direct ones, in some minutes."""
    if precision not in TYPES:
        raise SettingError(f"--precision is '{precision}'; expected fp32 or bf16")
    make_folder(out)
    save(measure_convolutions(precision, rounds), out, f"convolutions-{precision}")


def measure_convolutions(precision: str, rounds: int) -> ConvolutionsRecord:
    """Time all layers with both methods."""
    machine = choose_machine(precision=precision)
    machine.set_up()
    layers = []
    for network, N, C, D, side in LAYERS:
        x, weight, gradient = (tensor.to(TYPES[precision]) for tensor in draw(N, C, D, side))
        errors = find_errors((x, weight, gradient))
        rates = measure_in_turns(make_jobs((x, weight, gradient)), rounds)
        training, forwards = (
            rates[f"fft, {mode}"].images_per_second / rates[f"direct, {mode}"].images_per_second
            for mode in MODES
        )
        layers.append(
            Layer(
                network=network,
                images=N,
                channels=C,
                filters=D,
                side=side,
                operations=operation_ratio(N, C, D, side, side),
                training=training,
                forwards=forwards,
                errors=errors,
                rates=rates,
            )
        )
    return ConvolutionsRecord(**describe_here(machine), layers=tuple(layers))


def draw(N: int, C: int, D: int, side: int) -> Tensors:
    """Random images, filters and a gradient of the output."""
    shapes = ((N, C, side, side), (D, C, 3, 3), (N, D, side, side))
    generator = torch.Generator().manual_seed(0)
    x, weight, gradient = (
        torch.randn(shape, generator=generator).to(memory_format=torch.channels_last)
        for shape in shapes
    )
    return x, weight, gradient


def make_jobs(tensors: Tensors) -> dict[str, Job]:
    """Both ways, with both gradients and without gradients."""
    x, weight, gradient = tensors
    x.requires_grad_()
    weight.requires_grad_()
    jobs: dict[str, Job] = {}
    for name, way in METHODS.items():

        def train(way: Any = way) -> None:
            torch.autograd.grad(way(x, weight), (x, weight), gradient)

        @torch.no_grad()
        def infer(way: Any = way) -> None:
            way(x, weight)

        for mode, act in zip(MODES, (train, infer), strict=True):
            act()
            jobs[f"{name}, {mode}"] = repeat(act, count_repeats(act), len(x))
    return jobs


def find_errors(tensors: Tensors) -> dict[str, tuple[float, float]]:
    """Each way's relative errors, of the result and of the gradient of the filters."""
    exact = convolve_with_gradient(convolve_directly, *(tensor.double() for tensor in tensors))
    errors = {}
    for name, way in METHODS.items():
        out, gradient = (
            float((ours - true).norm() / true.norm())
            for ours, true in zip(convolve_with_gradient(way, *tensors), exact, strict=True)
        )
        errors[name] = (out, gradient)
    return errors


def convolve_with_gradient(
    way: Any, x: Tensor, weight: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor]:
    """The result of a convolution and the gradient of its filters."""
    filters = weight.clone().requires_grad_()
    out = way(x, filters)
    return out.detach(), *torch.autograd.grad(out, filters, gradient)


def tabulate(records: list[tuple[str, ConvolutionsRecord]]) -> Table:
    """Measurements side by side, under a head each."""
    rows = []
    for layers in zip(*(record.layers for _, record in records), strict=True):
        first = layers[0]
        name = (
            f"{first.network}: {first.channels} to {first.filters} channels, "
            f"{first.side}x{first.side} pixels, {first.images} images"
        )
        cells = [f"{layer.training:.2f}, {layer.forwards:.2f}" for layer in layers]
        rows.append((name, f"{first.operations:.2f}", *cells))
    return Table(("layer", "operations", *(head for head, _ in records)), rows)


def write_block() -> Iterator[str]:
    """The table of docs/SPEED.md, a column per record, and where each was measured."""
    records = [
        (f"`{path.parent.name}`, {record.machine.precision}", record)
        for path in sorted(BENCH.glob("*/convolutions-*.json"))
        for record in [store.read(path, ConvolutionsRecord)]
    ]
    yield tabulate(records).markdown()
    yield ""
    for head, record in records:
        place = describe_place(record.environment, record.machine, record.created)
        yield f"- {head}: {place}; {record.describe_errors()}"
