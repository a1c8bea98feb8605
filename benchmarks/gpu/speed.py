"""Entry 2 of QUEUE.md: time to 94 %, training steps and the input path on a GPU."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.gpu.options import DataFolder, DryRun, RecordFolder

TIME_LIMIT = 240  # seconds of a part; compiling may hang
RECIPES = Path(__file__).parents[1] / "recipes"
NETS = [str(RECIPES / f"{name}.toml") for name in ("wrn-16-8", "wrn-28-10")]


def speed(
    data_dir: DataFolder,
    out: RecordFolder,
    work: Annotated[
        Path, typer.Argument(metavar="WORK", help="Folder of the runs, which are not repeated.")
    ],
    dry_run: DryRun = False,
) -> None:
    """Entry 2: time to 94 %, training steps, and the input path.

    Each part is a process of its own, which ends after four minutes at most, so that a part that
    fails leaves the records of the others. The exit code is the number of parts that failed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    source = f"--data-dir={data_dir}"
    place, runs = f"--out={out}", f"--runs={work / 'runs'}"
    rounds = "--rounds=1" if dry_run else "--rounds=3"
    tiny = ("--seeds=1", "--set=epochs=1", "--set=model.widths=[8,8]")
    small = ("--set=model.depth=10", "--set=model.width=1", "--set=batch_size=32")
    steps = ("step", *NETS, rounds, *(small if dry_run else ("--set=batch_size=512",)))
    parts = (
        ("accuracy", "cifar10", source, place, runs, *(tiny if dry_run else ("--on=test",))),
        (*steps, place, "--plain"),
        ("pipeline", "cifar10", source, rounds, place, f"--images={500 if dry_run else 50_000}"),
        # Compiling the deep network takes minutes, so it comes last, with a record of its own.
        (*steps, f"--out={work}", "--compiled"),
    )
    failed = 0
    for part in parts:
        print("python -m benchmarks", *part, flush=True)
        try:
            run([sys.executable, "-m", "benchmarks", *part])
        except subprocess.SubprocessError as error:
            print(error, flush=True)
            failed += 1
    compiled = work / "step.json"
    if compiled.exists():
        shutil.copyfile(compiled, out / "step-compiled.json")
    raise typer.Exit(failed)


def run(command: Sequence[str]) -> None:
    """Run a part to its end or to the time limit, after which none of its processes is left.

    Raises:
        subprocess.SubprocessError: it failed, or took too long.
    """
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            code = process.wait(TIME_LIMIT)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if code:
        raise subprocess.CalledProcessError(code, command)
