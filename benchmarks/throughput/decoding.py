"""Measure `explore` on many small files against decoding them with Pillow alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import typer
from PIL import Image

from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import Measurement, describe_here, save
from benchmarks.tables import Table
from benchmarks.throughput.timing import Timing
from smallvision.compute.machine import choose_machine
from smallvision.records.files import make_folder

CLASSES, SIDE = 10, 32
# A loop as people write it, and what torchvision does to each picture of a folder.
LOOP = """
import os, sys
import numpy as np
from PIL import Image
for place, _, names in os.walk(sys.argv[1]):
    for name in names:
        with Image.open(os.path.join(place, name)) as picture:
            {}
"""
JOBS = {
    "Pillow, load()": [sys.executable, "-c", LOOP.format("picture.load()")],
    "Pillow, arrays": [sys.executable, "-c", LOOP.format("np.asarray(picture.convert('RGB'))")],
    "explore": [sys.executable, "-m", "smallvision", "explore", "--no-page"],
}


class Decoding(Timing):
    """What one job took of a processor, with starting Python."""

    megabytes: float
    """The largest memory of any round; not below that of the process that measures."""


class DecodingRecord(Measurement):
    """`decoding.json`: `smallvision explore FOLDER` with an empty cache, and Pillow alone."""

    title: ClassVar[str] = "Reading pictures"

    kind: Literal["decoding"] = "decoding"
    n: int
    """Files: pictures of 32x32 pixels, half of them PNG and half JPEG."""
    jobs: dict[str, Decoding]
    """By name; measured in turns on one core."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        explore = self.jobs["explore"].median
        return (
            Table(
                ("job", "s of one core", "µs for a file", "explore takes", "MB"),
                [
                    (
                        name,
                        f"{job.median:.1f}",
                        f"{job.median / self.n * 1e6:.0f}",
                        f"{explore / job.median:.2f} times",
                        f"{job.megabytes:,.0f}",
                    )
                    for name, job in self.jobs.items()
                ],
                [job.median for job in self.jobs.values()],
            ),
        )


def decoding(
    n: Annotated[int, typer.Option(min=100, help="Number of files.")] = 100_000,
    rounds: Rounds = 3,
    out: Out = OUT,
) -> None:
    """Measure `explore` on small files against decoding them with Pillow alone."""
    make_folder(out)  # an unwritable place is found before measuring
    with tempfile.TemporaryDirectory() as folder:
        save(measure_decoding(draw_pictures(Path(folder), n), n, rounds), out)


def draw_pictures(root: Path, n: int) -> Path:
    """Write colour pictures of smooth patches and noise, in ten class folders."""
    draw = np.random.default_rng(0)
    for i in range(n):
        rough = Image.fromarray(draw.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        smooth = np.asarray(rough.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = (smooth + draw.integers(-12, 13, smooth.shape)).clip(0, 255).astype(np.uint8)
        place = root / f"class{i % CLASSES}" / f"{i:06d}{('.png', '.jpg')[i // CLASSES % 2]}"
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(noisy).save(place, quality=90)
    return root


def measure_decoding(folder: Path, n: int, rounds: int) -> DecodingRecord:
    """Time all jobs in turns on the first core that this process may use.

    Args:
        folder: of the pictures.
        n: number of files in it.
        rounds: turns of each.
    """
    about = describe_here(choose_machine())
    seconds: dict[str, list[float]] = {name: [] for name in JOBS}
    memory = dict.fromkeys(JOBS, 0.0)
    with on_one_core():
        for name, command in [*JOBS.items()] * rounds:
            used, megabytes = run_alone([*command, str(folder)])
            seconds[name].append(used)
            memory[name] = max(memory[name], megabytes)
    jobs = {name: Decoding(seconds=tuple(seconds[name]), megabytes=memory[name]) for name in JOBS}
    return DecodingRecord(**about, n=n, jobs=jobs)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process and what it starts on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def run_alone(command: list[str]) -> tuple[float, float]:
    """Run a command with an empty cache: the seconds of a processor, and megabytes at most.

    Raises:
        CalledProcessError: it failed.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "SMALLVISION_CACHE": cache}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
