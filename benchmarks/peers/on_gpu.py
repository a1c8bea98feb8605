"""Run a fetched peer on a GPU as it is, but fewer times, and report each run.

    python -m benchmarks.peers.on_gpu PEER.PY DATA_DIR RUNS [--dry-run]

PEER.PY is `airbench94_muon.py` or `airbench96_faster.py` (Keller Jordan,
https://github.com/KellerJordan/cifar10-airbench) or `cifar10_speedrun.py` (hiverge,
https://github.com/hiverge/cifar10-speedrun). They are fetched for the measurement and are no part
of this repository. Two things are replaced: the number of runs, and the download by torchvision,
since the images are put where the file looks for them first. Each run counts its own time, as its
authors meant it: training and the final evaluation, without compilation. Each is printed as a line
of JSON when it ends, with the seconds since the process began; the first one warms up. With
`--dry-run` the file is changed, not run.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

RUNS = "range(200)"
PRINTER = "def print_training_details(variables, is_final_entry):"
BEGAN = time.perf_counter()


def note(variables: dict[str, Any]) -> None:
    """Print the figures of a run; the file hands over its local variables."""
    seconds = variables.get("total_time_seconds", variables.get("time_seconds"))
    run = {"accuracy": variables["tta_val_acc"], "seconds": float(seconds or "nan")}
    print("\n" + json.dumps({**run, "ended": time.perf_counter() - BEGAN}), flush=True)


def shorten(text: str, runs: int) -> str:
    """The file's text with fewer runs and one to warm up, each of which is noted.

    Raises:
        SystemExit: it is not a text this was written for.
    """
    for old in (RUNS, PRINTER):
        if text.count(old) != 1:
            sys.exit(f"the peer has changed: it no longer says {old!r} once")
    # One more, for compiling: not all of them warm up before their first run.
    text = text.replace(RUNS, f"range({runs + 1})")
    return text.replace(PRINTER, f"{PRINTER}\n    is_final_entry and note(variables)")


def main() -> None:
    """Lay out the images, and run the file as a program."""
    source, data = (Path(argument).resolve() for argument in sys.argv[1:3])
    runs = int(sys.argv[3])
    code = compile(shorten(source.read_text(encoding="utf-8"), runs), source.name, "exec")
    if "--dry-run" not in sys.argv:
        from benchmarks.peers.airbench_cpu import write_images

        with TemporaryDirectory() as place:
            write_images(Path(place), data)
            (Path(place) / source.name).write_text(source.read_text(encoding="utf-8"))
            os.chdir(place)
            sys.argv[:] = [source.name]  # which the file reads
            # The compiler looks for the names of a program's functions in its module.
            peer = sys.modules["__main__"] = ModuleType("__main__")
            vars(peer)["note"] = note
            exec(code, vars(peer))  # noqa: S102 - the peer itself
            os.chdir("/")


if __name__ == "__main__":
    main()
