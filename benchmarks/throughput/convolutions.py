"""Time 3x3 convolutions by products of spectra beside plain ones, taking turns.

    python -m benchmarks.throughput.convolutions OUT [--precision bf16]    measure
    python -m benchmarks.throughput.convolutions    print the table of docs/SPEED.md

It is what the bounds in `smallvision/models/convolution.py` rest on. Some minutes on two cores,
alone on the machine.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.keep import read, tell_place
from benchmarks.records import begin_record
from benchmarks.throughput.timing import Job, alternate, fill_turn, repeat
from smallvision.compute.machine import choose_machine
from smallvision.models.fft_conv import Spectral, count_gain
from smallvision.records.files import make_folder, write_json

BENCH = Path(__file__).parents[2] / "results" / "bench"
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}

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


def convolve_plainly(x: Tensor, weight: Tensor) -> Tensor:
    """As every network would."""
    return F.conv2d(x, weight, padding=1)


def convolve_spectra(x: Tensor, weight: Tensor) -> Tensor:
    """By products of spectra."""
    out: Tensor = Spectral.apply(x, weight, False)  # type: ignore[no-untyped-call]
    return out


WAYS = {"plain": convolve_plainly, "spectral": convolve_spectra}


def draw(N: int, C: int, D: int, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Images, filters and a gradient towards the output."""
    shapes = ((N, C, side, side), (D, C, 3, 3), (N, D, side, side))
    generator = torch.Generator().manual_seed(0)
    x, weight, gradient = (
        torch.randn(shape, generator=generator).to(memory_format=torch.channels_last)
        for shape in shapes
    )
    return x, weight, gradient


def make_jobs(tensors: tuple[Tensor, Tensor, Tensor]) -> dict[str, Job]:
    """Both ways, forwards alone and with both gradients."""
    x, weight, gradient = tensors
    x.requires_grad_()
    weight.requires_grad_()
    jobs: dict[str, Job] = {}
    for name, way in WAYS.items():

        def train(way: Any = way) -> None:
            torch.autograd.grad(way(x, weight), (x, weight), gradient)

        @torch.no_grad()
        def look(way: Any = way) -> None:
            way(x, weight)

        for kind, act in (("training", train), ("forwards", look)):
            act()
            jobs[f"{name}, {kind}"] = repeat(act, fill_turn(act), len(x))
    return jobs


def find_errors(tensors: tuple[Tensor, Tensor, Tensor]) -> dict[str, list[float]]:
    """Each way's distance from an exact convolution, and of the gradient towards the filters."""
    results = {}
    exact = convolve_plainly, tuple(tensor.double() for tensor in tensors)
    ways = {"exact": exact, **{name: (way, tensors) for name, way in WAYS.items()}}
    for name, (way, (x, weight, gradient)) in ways.items():
        learner = weight.clone().requires_grad_()
        out = way(x, learner)
        results[name] = (out.detach(), *torch.autograd.grad(out, learner, gradient))
    return {
        name: [
            float((mine - true).norm() / true.norm())
            for mine, true in zip(results[name], results["exact"], strict=True)
        ]
        for name in WAYS
    }


def measure(precision: str, rounds: int) -> dict[str, Any]:
    """The record."""
    machine = choose_machine(precision=precision)
    machine.set_up()
    layers = []
    for network, N, C, D, side in LAYERS:
        x, weight, gradient = (tensor.to(TYPES[precision]) for tensor in draw(N, C, D, side))
        errors = find_errors((x, weight, gradient))
        rates = alternate(make_jobs((x, weight, gradient)), rounds=rounds)
        speed = {name: rate["images_per_second"] for name, rate in rates.items()}
        ratios = {
            kind: speed[f"spectral, {kind}"] / speed[f"plain, {kind}"]
            for kind in ("training", "forwards")
        }
        shape = {"images": N, "channels": C, "filters": D, "side": side}
        saved = {"operations": count_gain(N, C, D, side, side)}
        layers.append(
            {"network": network, **shape, **saved, **ratios, "errors": errors, "rates": rates}
        )
        print(f"{network} {N} {C}->{D} {side}x{side}: {saved} {ratios} {errors}", flush=True)
    command = f"python {shlex.join(sys.argv)}"
    return {**begin_record("convolutions", command, machine), "layers": layers}


def list_rows() -> Iterator[str]:
    """The lines of the table, a column a record, and where each was made."""
    paths = sorted(BENCH.glob("*/convolutions*.json"))
    records = [read(path) for path in paths]
    named = [
        f"`{path.parent.name}`, {record['machine']['precision']}"
        for path, record in zip(paths, records, strict=True)
    ]
    yield f"| layer | operations | {' | '.join(named)} |"
    yield f"|---|---|{'---|' * len(records)}"
    for layers in zip(*(record["layers"] for record in records), strict=True):
        first = layers[0]
        name = (
            f"{first['network']}: {first['channels']} to {first['filters']} channels, "
            f"{first['side']}x{first['side']} pixels, {first['images']} images"
        )
        cells = [f"{layer['training']:.2f}, {layer['forwards']:.2f}" for layer in layers]
        yield f"| {name} | {first['operations']:.2f} | {' | '.join(cells)} |"
    yield ""
    for name, record in zip(named, records, strict=True):
        place = tell_place(record["environment"], record["machine"], record["created"])
        ours, plain = (
            max(max(layer["errors"][way]) for layer in record["layers"])
            for way in ("spectral", "plain")
        )
        error = f"relative error at most {ours:.0e}, of plain ones {plain:.0e}"
        yield f"- {name}: {place}; {error}"


def main() -> None:
    """Measure, or print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--precision", choices=TYPES, default="fp32")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    if asked.out is None:
        print("\n".join(list_rows()))
        sys.exit()
    write_json(
        make_folder(asked.out.parent) / asked.out.name, measure(asked.precision, asked.rounds)
    )


if __name__ == "__main__":
    main()
