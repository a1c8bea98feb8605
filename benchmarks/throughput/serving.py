"""Measure a model in use: exported against PyTorch, served, and on a folder of pictures."""

from __future__ import annotations

import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

import torch
import typer
from PIL import Image

import smallvision as sv
from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import BENCH, Measurement, describe_here, describe_place, save
from benchmarks.tables import Table
from benchmarks.throughput.timing import Timing
from smallvision.compute.machine import choose_machine
from smallvision.data.decoding.image_files import load_picture
from smallvision.data.decoding.resize import prepare_picture
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.runs.classify import find_classifier, find_preparation
from smallvision.serving.runner import Runner

MODEL = "cifar10"
SIDE = 200  # pixels of a picture
REQUESTS = 200  # of a round
EAGER, RUNNER = "PyTorch, one image", "runner, one image"
PICTURE, SERVER = "runner, one picture", "server, one picture"
DECODING, CLASSIFY = "decoding alone", "classify FOLDER"
Key = TypeVar("Key", bound=Hashable)
JOBS = (EAGER, RUNNER, PICTURE, SERVER, DECODING, CLASSIFY)


class ServingRecord(Measurement):
    """`serving.json`: the included model in use, all jobs of a group measured in turns."""

    title: ClassVar[str] = "A model in use"

    kind: Literal["serving"] = "serving"
    n: int
    """Pictures of a folder: JPEG of 200x200 pixels, from training images of CIFAR-10."""
    single: dict[str, Timing]
    """For each image or picture, the median within a round, computed by one thread."""
    folder: dict[str, Timing]
    """For each picture of a folder, the mean within a round, with as many threads as pay."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The ratios that matter."""
        one = {name: timing.median for name, timing in self.single.items()}
        folder = {name: timing.median for name, timing in self.folder.items()}
        return (
            f"The runner takes {one[RUNNER] / one[EAGER]:.2f} of PyTorch's time for an image.",
            f"The server adds {(one[SERVER] - one[PICTURE]) * 1e3:.1f} ms to a picture.",
            f"Classifying a folder reaches {folder[DECODING] / folder[CLASSIFY]:.2f} of the "
            "throughput of decoding alone.",
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        jobs = {**self.single, **self.folder}
        return (
            Table(
                ("job", "ms each"),
                [(name, f"{timing.median * 1e3:.2f}") for name, timing in jobs.items()],
                [timing.median for timing in jobs.values()],
            ),
        )


def serving(
    n: Annotated[int, typer.Option(min=100, help="Number of pictures in the folder.")] = 10_000,
    rounds: Rounds = 5,
    out: Out = OUT,
) -> None:
    """Measure the included model in use: exported, served, and on a folder of pictures."""
    make_folder(out)  # an unwritable place is found before measuring
    about = describe_here(choose_machine(precision="fp32"))
    with tempfile.TemporaryDirectory() as place:
        exported = sv.export(MODEL, out=Path(place) / "exported").folder / "model.onnx"
        pictures = draw_pictures(Path(place) / "pictures", n)
        single = measure_single(exported, pictures, rounds)
        folder = measure_folder(pictures, n, rounds)
    save(ServingRecord(**about, n=n, single=single, folder=folder), out)


def write_block() -> Iterator[str]:
    """What was measured on each machine, for docs/SERVING.md."""
    found = [store.read(path, ServingRecord) for path in sorted(BENCH.glob("*/serving.json"))]
    yield "| machine | " + " | ".join(f"{name}, ms" for name in JOBS) + " |"
    yield "|---|" + "---|" * len(JOBS)
    for record in found:
        jobs = {**record.single, **record.folder}
        cells = [f"{jobs[name].median * 1e3:.2f}" for name in JOBS]
        place = describe_place(record.environment, record.machine, record.created)
        yield f"| {place} | " + " | ".join(cells) + " |"


def draw_pictures(folder: Path, n: int) -> Path:
    """Write enlarged training images of CIFAR-10, of which the model is as sure as ever."""
    folder.mkdir()
    for i, image in enumerate(sv.load_data("cifar10").train.images[:n]):
        picture = Image.fromarray(image.transpose(1, 2, 0))
        large = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        large.save(folder / f"{i:06d}.jpg", quality=90)
    return folder


def measure_single(exported: Path, pictures: Path, rounds: int) -> dict[str, Timing]:
    """Time single images and pictures, by one thread, in turns."""
    model, runner = find_classifier(Path(MODEL)), Runner(exported)
    contents = [path.read_bytes() for path in sorted(pictures.iterdir())[:REQUESTS]]
    images = [runner.read(content) for content in contents]
    with serve(exported) as port:
        client = http.client.HTTPConnection("127.0.0.1", port)

        def ask(content: bytes) -> None:
            client.request("POST", "/v1/classify", content, {"Content-Type": "image/jpeg"})
            if (answer := client.getresponse()).status != 200:
                raise RuntimeError(answer.read())
            answer.read()

        def ask_all() -> float:
            client.close()  # the server does not wait through the turns of others
            return find_median(ask, contents)

        jobs: dict[str, Callable[[], float]] = {
            EAGER: lambda: find_median(model.predict, images),
            RUNNER: lambda: find_median(runner.predict, images),
            PICTURE: lambda: find_median(lambda one: next(runner.classify([one])), contents),
            SERVER: ask_all,
        }
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return take_turns(jobs, rounds)
        finally:
            torch.set_num_threads(threads)


def measure_folder(pictures: Path, n: int, rounds: int) -> dict[str, Timing]:
    """Time the command on a folder, and the decoding of its pictures alone, in turns."""
    preparation = find_preparation(find_classifier(Path(MODEL)))
    few = pictures.parent / "one"
    few.mkdir()
    first = min(pictures.iterdir())
    (few / first.name).write_bytes(first.read_bytes())

    def decode() -> float:
        began = time.perf_counter()
        for path in sorted(pictures.iterdir()):
            prepare_picture(load_picture(path, max(preparation.shape[1:])), preparation)
        return (time.perf_counter() - began) / n

    def classify() -> float:
        # What starting takes, which more pictures would not, is measured on one and taken off.
        return (time_command(pictures) - time_command(few)) / (n - 1)

    return take_turns({DECODING: decode, CLASSIFY: classify}, rounds)


def time_command(folder: Path) -> float:
    """Seconds that `smallvision classify` takes for a folder."""
    command = [sys.executable, "-m", "smallvision", "classify", MODEL, str(folder), "--jsonl"]
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def take_turns(jobs: Mapping[Key, Callable[[], float]], rounds: int) -> dict[Key, Timing]:
    """The seconds of each job in each round, after one that does not count."""
    seconds: dict[Key, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            took = job()
            if number:
                seconds[name].append(took)
    return {name: Timing(seconds=tuple(found)) for name, found in seconds.items()}


def find_median(job: Callable[..., object], inputs: Sequence[object]) -> float:
    """Median seconds of a job over its inputs, one after the other."""
    seconds = []
    for one in inputs:
        began = time.perf_counter()
        job(one)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


@contextmanager
def serve(exported: Path) -> Iterator[int]:
    """Run the server, with one thread for each answer; gives its port."""
    command = [sys.executable, "-m", "smallvision", "serve", str(exported), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        found = re.search(r":(\d+)/", next(iter(process.stdout or ())))
        if found is None:
            raise RuntimeError("the server did not start")
        yield int(found[1])
    finally:
        process.terminate()
        process.wait()
