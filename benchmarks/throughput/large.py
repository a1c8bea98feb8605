"""What a data set of any size costs: time for an image and memory, from loading to the test."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import typer
from pydantic import computed_field

from benchmarks.options import OUT, Out
from benchmarks.records import (
    BENCH,
    GrowingMeasurement,
    Part,
    continue_record,
    describe_here,
    describe_place,
    save,
)
from benchmarks.tables import Table
from benchmarks.throughput.large_plot import Line, draw_lines
from benchmarks.throughput.large_steps import LOOK, STEPS
from smallvision.compute.machine import choose_machine
from smallvision.data.storage.room import working_set
from smallvision.errors import DataError, FailedRunError
from smallvision.format import format_count, format_size
from smallvision.records import store
from smallvision.records.files import make_folder

SHAPE, CLASSES = (3, 32, 32), 10
CHUNK = 20_000  # images that are drawn at a time, and rows of a shard
PER_IMAGE = math.prod(SHAPE)
FEW, COMPARED = 1_000, 100_000  # images whose cost is taken off, and those that are compared with
ALLOWED_PEAK, ALLOWED_COST = 1.2, 1.3  # of the working set, and of that cost
CGROUPS = (
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
    ("/sys/fs/cgroup", "memory.max"),
)


class Source(StrEnum):
    """How the images lie."""

    npz = "npz"
    packed = "npz-packed"
    parquet = "parquet"


class GrowthPoint(Part):
    """One process that went through all steps with one data set."""

    source: Source
    """How the images lay."""
    images: int
    """All images, of which a fifth became the test set."""
    bytes: int
    """Of the files."""
    seconds: dict[str, float] | None
    """Of the processor in each step, without the search for look-alikes; null where only the clock
    was read."""
    elapsed: dict[str, float]
    """By the clock, with that search: others may use the machine, and disks are waited for."""
    alike: float | None
    """Seconds of the processor in the search for look-alikes, which is bounded in other ways; null
    where only the clock was read."""
    peaks: dict[str, int]
    """Most bytes of resident memory in each step, libraries included."""
    limit: int | None
    """Bytes that the process was allowed, pages of files that it read or wrote included; null
    where the system does not let one set a limit."""
    val_accuracy: float
    """On the validation images, which are noise with a trace of their class."""
    test_accuracy: float
    """On the test images."""

    @computed_field
    @property
    def microseconds(self) -> float | None:
        """All steps, for an image."""
        return None if self.total is None else self.total / self.images

    @property
    def total(self) -> float | None:
        """All steps, in microseconds."""
        if self.seconds is None:
            return None
        return 1e6 * sum(self.seconds[step] for step in STEPS)

    @computed_field
    @property
    def peak(self) -> int:
        """Most bytes of resident memory in any step."""
        return max(self.peaks.values())


class LargeRecord(GrowingMeasurement):
    """`large.json`: random images of 3x32x32 in ten classes, a process for each size."""

    title: ClassVar[str] = "Sets larger than memory"
    same: ClassVar[dict[str, str]] = {"working_set": "working set"}

    kind: Literal["large"] = "large"
    working_set: int
    """Bytes that SMALLVISION_WORKING_SET allowed."""
    points: tuple[GrowthPoint, ...] = ()
    """In the order in which they were measured."""

    def ordered(self) -> tuple[GrowthPoint, ...]:
        """The points by source and size."""
        order = [*Source]
        return tuple(sorted(self.points, key=lambda p: (order.index(p.source), p.images)))

    def find(self, source: Source, images: int) -> GrowthPoint | None:
        """The point of a source and a size, if there is one."""
        wanted = (source, images)
        return next((p for p in self.points if (p.source, p.images) == wanted), None)

    def measure_more(self, point: GrowthPoint) -> float | None:
        """Microseconds for each image beyond the first 1,000.

        What these take is mostly what any number takes: a model is saved, its latency is measured.
        """
        few = self.find(point.source, FEW)
        if few is None or few.total is None or point.total is None or few.images >= point.images:
            return None
        return (point.total - few.total) / (point.images - FEW)

    def compare(self, point: GrowthPoint) -> float | None:
        """The cost of a further image divided by that with 100,000 from the same source."""
        other = self.find(point.source, COMPARED)
        ours = self.measure_more(point)
        theirs = self.measure_more(other) if other is not None else None
        return ours / theirs if ours is not None and theirs is not None else None

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        costs = ("sum", "further", "ratio", "peak", "look", "alike", "minutes")
        heads = ("source", "images", "files", *STEPS, *costs)
        return (Table(heads, [self.show_point(point) for point in self.ordered()]),)

    def show_point(self, point: GrowthPoint) -> tuple[str, ...]:
        """The figures of a size as text."""
        more, ratio = self.measure_more(point), self.compare(point)
        return (
            point.source,
            format_count(point.images),
            format_size(point.bytes),
            *(show_cost(point, step) for step in STEPS),
            "" if point.microseconds is None else f"{point.microseconds:.0f}",
            "" if more is None else f"{more:.0f}",
            "" if ratio is None else f"{ratio:.2f}",
            format_size(point.peak),
            show_cost(point, LOOK),
            "" if point.alike is None else f"{1e6 * point.alike / point.images:.1f}",
            f"{sum(point.elapsed.values()) / 60:.1f}",
        )


def show_cost(point: GrowthPoint, step: str) -> str:
    """Microseconds of a step for an image."""
    return "" if point.seconds is None else f"{1e6 * point.seconds[step] / point.images:.1f}"


def large(
    source: Annotated[Source, typer.Argument(help="How the images lie.")],
    images: Annotated[list[int], typer.Argument(help="Numbers of images.", min=100)],
    limit: Annotated[
        float, typer.Option(help="GB of memory that a process is allowed, pages of files included.")
    ] = 4.0,
    scratch: Annotated[
        Path | None, typer.Option(help="Folder for the data sets, twice as large as the largest.")
    ] = None,
    out: Out = OUT,
) -> None:
    """Measure time and memory from loading to the test, for data sets of several sizes."""
    make_folder(out)  # an unwritable place is found before measuring
    fresh = LargeRecord(**describe_here(choose_machine(threads=1)), working_set=working_set())
    path = out / "large.json"
    for count in images:
        record = continue_record(path, fresh)
        with tempfile.TemporaryDirectory(dir=scratch) as place:
            point = measure(source, count, int(limit * 1e9), Path(place))
        others = [p for p in record.points if (p.source, p.images) != (source, count)]
        save(record.change(points=(*others, point)), out)


def measure(source: Source, count: int, limit: int, place: Path) -> GrowthPoint:
    """Write a data set and go through all steps with it in a process of its own."""
    need = 2.1 * count * PER_IMAGE
    if shutil.disk_usage(place).free < need:
        raise DataError(
            f"{place} has no room for {format_size(need)}: name another folder with --scratch"
        )
    data = WRITERS[source](place, count)
    files = [data] if data.is_file() else [*data.iterdir()]
    with limit_memory(limit) as group:
        done = subprocess.run(
            [sys.executable, "-c", ENTER, *map(str, (group or "", data, place / "work"))],
            env={**os.environ, "SMALLVISION_CACHE": str(place / "cache")},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise FailedRunError(f"{source} with {count:,} images: {lines[-1]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return GrowthPoint(
        source=source,
        images=count,
        bytes=sum(path.stat().st_size for path in files),
        limit=None if group is None else limit,
        **{name: told[name] for name in GrowthPoint.model_fields if name in told},
    )


# The process enters its group of processes before it imports anything.
ENTER = """
import os, runpy, sys
group = sys.argv.pop(1)
if group:
    open(os.path.join(group, "cgroup.procs"), "w").write(str(os.getpid()))
runpy.run_module("benchmarks.throughput.large_steps", run_name="__main__")
"""


@contextmanager
def limit_memory(size: int) -> Iterator[Path | None]:
    """Make a group of processes that is allowed so many bytes; None where that is not possible."""
    for root, file in CGROUPS:
        group = Path(root) / f"smallvision-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / file).write_text(str(size))
        except OSError:
            group.rmdir()
            continue
        try:
            yield group
        finally:
            with suppress(OSError):
                group.rmdir()
        return
    yield None


def draw_images(count: int) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Yield images `(n, 32, 32, 3)`, noise with a trace of their class, and labels."""
    rng = np.random.default_rng(0)
    for start in range(0, count, CHUNK):
        labels = np.arange(start, min(count, start + CHUNK)) % CLASSES
        noise = np.frombuffer(rng.bytes(len(labels) * PER_IMAGE), np.uint8)
        pixels = noise.reshape(len(labels), 32, 32, 3) >> 1
        yield pixels + (8 * labels).astype(np.uint8)[:, None, None, None], labels


def write_npz(place: Path, count: int, packing: int = zipfile.ZIP_STORED) -> Path:
    """Write an `.npz` in stretches."""
    path = place / "some.npz"
    with zipfile.ZipFile(path, "w", packing, compresslevel=1) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as member:
            about = {"descr": "|u1", "fortran_order": False, "shape": (count, 32, 32, 3)}
            np.lib.format.write_array_header_1_0(member, about)
            for pixels, _ in draw_images(count):
                member.write(pixels.data)
        with archive.open("y.npy", "w") as member:
            np.lib.format.write_array(member, np.arange(count) % CLASSES)
    return path


def write_packed(place: Path, count: int) -> Path:
    """Write an `.npz` whose arrays are packed."""
    return write_npz(place, count, zipfile.ZIP_DEFLATED)


def write_shards(place: Path, count: int) -> Path:
    """Write Parquet shards of PNG pictures."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = place / "shards"
    folder.mkdir()
    total = -(-count // CHUNK)
    for number, (pixels, labels) in enumerate(draw_images(count)):
        table = pa.table({"image": [encode_png(one) for one in pixels], "label": labels})
        name = f"train-{number:05d}-of-{total:05d}.parquet"
        pq.write_table(
            table, folder / name, compression="NONE", use_dictionary=False, row_group_size=1000
        )
    return folder


def encode_png(pixels: np.ndarray[Any, Any]) -> bytes:
    """A PNG that is not packed, which takes a tenth of the time of one that is."""
    H, W, _ = pixels.shape
    rows = np.zeros((H, 1 + 3 * W), np.uint8)  # each begins with the number of its filter
    rows[:, 1:] = pixels.reshape(H, -1)
    header = struct.pack(">IIBBBBB", W, H, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


WRITERS = {Source.npz: write_npz, Source.packed: write_packed, Source.parquet: write_shards}


def find_records() -> Sequence[LargeRecord]:
    """The committed records."""
    return [store.read(path, LargeRecord) for path in sorted(BENCH.glob("*/large.json"))]


def write_block() -> Iterator[str]:
    """What was measured on each machine, for docs/SCALING.md."""
    for record in find_records():
        points = record.ordered()
        ratios = [ratio for ratio in map(record.compare, points) if ratio is not None]
        peak = max(point.peak for point in points)
        limits = {point.limit for point in points}
        limit = (
            ""
            if None in limits
            else (
                f" A control group limits the process to {format_size(max(filter(None, limits)))}, "
                "pages of the files that it reads and writes included."
            )
        )
        yield f"On {describe_place(record.environment, record.machine, record.created)}:"
        yield ""
        yield record.tables[0].markdown()
        yield ""
        yield "![Time for an image and peak memory by the number of images](large.svg)"
        yield ""
        yield (
            f"Random images of 32x32 pixels in colour, of which a fifth becomes the test set; "
            f"working set {format_size(record.working_set)}. Microseconds of the processor "
            "for each of all images; "
            f"`further` is the `sum` for an image beyond the first {format_count(FEW)}, since a "
            "model is saved and timed whatever the number of images; `ratio` is that divided by "
            f"that of {format_count(COMPARED)} images of the same source: {min(ratios):.2f} to "
            f"{max(ratios):.2f}. `peak` is resident memory, "
            f"libraries included: at most {peak / record.working_set:.2f} of the working set."
            f"{limit} The network is an `mlp` with 64 hidden units, trained for one epoch. Not in "
            "the sums: `look`, the closer look of `smallvision explore`, of which a map takes "
            "seconds whatever the number of images; and `alike`, the search for look-alikes, which "
            "is whole among up to 10,000 images and 20,000 million pairs, and of samples beyond. "
            "`minutes` are those of all steps by the clock, on a machine that others may "
            "use; where there is nothing else, only the clock was read."
        )


def draw_plot() -> str | None:
    """The plot of the first committed record, as SVG; None where nothing has been measured."""
    record = next(iter(find_records()), None)
    if record is None:
        return None
    points = [point for point in record.ordered() if point.images > FEW]
    sources = [s for s in Source if any(point.source == s for point in points)]

    def trace(value: Any) -> list[Line]:
        lines = []
        for s in sources:
            found = [(p.images, value(p)) for p in points if p.source == s]
            lines.append(Line(s, [(n, known) for n, known in found if known is not None]))
        return lines

    cost = max(record.measure_more(p) or 0 for p in points if p.images == COMPARED)
    return draw_lines(
        [
            ("microseconds for a further image", trace(record.measure_more), ALLOWED_COST * cost),
            (
                "peak memory, GB",
                trace(lambda p: p.peak / 1e9),
                ALLOWED_PEAK * record.working_set / 1e9,
            ),
        ]
    )
