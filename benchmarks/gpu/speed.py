"""Entry 2 of QUEUE.md: time to 94 %, training steps and the input path on a GPU.

    python -m benchmarks.gpu.speed DATA_DIR OUT WORK [--dry-run]

Each part is a command of its own, so that one that fails, or takes more than four minutes, leaves
the records of the others. Records go to OUT, runs to WORK, where a later call finds them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

LONGEST = 240  # seconds of a part; compiling may hang
RECIPES = Path(__file__).parents[1] / "recipes"
NETS = [str(RECIPES / f"{name}.toml") for name in ("wrn-16-8", "wrn-28-10")]


def spell(*settings: str) -> list[str]:
    """Settings as options."""
    return [f"--set={setting}" for setting in settings]


def run(command: list[str]) -> None:
    """Run a part to its end or its limit, after which none of its processes goes on.

    Raises:
        subprocess.SubprocessError: it failed, or took too long.
    """
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            code = process.wait(LONGEST)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if code:
        raise subprocess.CalledProcessError(code, command)


def main() -> int:
    """Run all parts; the exit code counts those that failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    dry = "--dry-run" in sys.argv
    data, out, work = (Path(argument) for argument in sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    place, source = [f"--out={out}"], [f"--data-dir={data}"]
    runs = [f"--runs={work / 'runs'}"]
    rounds = ["--rounds=1" if dry else "--rounds=3"]
    tiny = ["--seeds=1", *spell("epochs=1", "model.widths=[8,8]")]
    small = spell("model.depth=10", "model.width=1", "batch_size=32")
    steps = ["step", *NETS, *rounds, *(small if dry else spell("batch_size=512"))]
    parts = (
        ["accuracy", "cifar10", *source, *place, *runs, *(tiny if dry else ["--on=test"])],
        [*steps, *place, "--plain"],
        ["pipeline", "cifar10", *source, *rounds, *place, f"--images={500 if dry else 50_000}"],
        # Compiling the deep one takes minutes: last, and in a record of its own.
        [*steps, f"--out={work}", "--compiled"],
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
    return failed


if __name__ == "__main__":
    sys.exit(main())
