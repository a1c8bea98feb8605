"""Entry 3 of QUEUE.md: 94 % and 96 % beside the fastest peers, in one call on one GPU.

    python -m benchmarks.gpu.race PEERS DATA_DIR OUT [--target 0.94] [--runs N] [--dry-run]

PEERS is a folder with the files that `benchmarks/peers/on_gpu.py` names. Each peer runs in a
process of its own, ours in this one; all make a run to warm up first, then N runs. A peer's runs
count their own time: training and the final evaluation. Ours count all: training, writing the run
folder, opening the test set. Compilation is told apart: what it took to the end of the first run,
beyond the median of the others, for peers from the start of their process. The records are
`OUT/race-0.94.json` and so on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import smallvision as sv
from benchmarks.records import begin_record
from benchmarks.training.accuracy import sum_up
from smallvision.compute.machine import choose_machine
from smallvision.records.files import make_folder, write_json

ROOT = Path(__file__).parents[2]
PEERS = {0.94: ("airbench94_muon.py", "cifar10_speedrun.py"), 0.96: ("airbench96_faster.py",)}
LONGEST = {0.94: 240, 0.96: 360}  # seconds of a peer's process, which compiles for minutes
TINY = ("epochs=1", "model.widths=[8,8]", "batch_size=500")


def run_peer(source: Path, data: Path, runs: int, longest: int, *, dry: bool) -> dict[str, Any]:
    """Runs of a peer, those it came to in time, and what its process took before them."""
    command = [sys.executable, "-m", "benchmarks.peers.on_gpu", str(source), str(data), str(runs)]
    command += ["--dry-run"] if dry else []
    error = {}
    with TemporaryFile("w+") as said, TemporaryFile("w+") as complained:
        try:
            subprocess.run(command, stdout=said, stderr=complained, timeout=longest, check=True)
        except subprocess.TimeoutExpired:
            error = {"error": f"it took more than {longest} s"}
        except subprocess.CalledProcessError:
            complained.seek(0)
            error = {"error": complained.read()[-2000:]}
        said.seek(0)
        timed = [json.loads(line) for line in said if line.startswith('{"accuracy"')]
    first, rest = timed[:1], timed[1:]
    return {**error, "runs": rest, **(tell_beginning(first[0]["ended"], rest) if rest else {})}


def tell_beginning(seconds: float, runs: list[dict[str, float]]) -> dict[str, float]:
    """What it took to the end of the first run, beyond the median of the others."""
    return {"besides_seconds": seconds - statistics.median(run["seconds"] for run in runs)}


def run_ours(target: float, data: Path, runs: int, *, dry: bool) -> dict[str, Any]:
    """Runs of ours with seeds 0 to N - 1, after one to warm up; in this process."""
    dataset = sv.load_data("cifar10", data_dir=data)
    dataset.train.fingerprint  # noqa: B018 - reading the data is nobody's time here
    timed = []
    with TemporaryDirectory() as place:
        for seed in (runs, *range(runs)):
            began = time.perf_counter()
            settings = (f"seed={seed}", *(TINY if dry else ()))
            run = sv.train(
                dataset, "speednet", target=target, refit=True, out=f"{place}/{seed}",
                settings=settings,
            )  # fmt: skip
            accuracy = sv.evaluate(run, dataset).record["accuracy"]
            seconds = {"seconds": time.perf_counter() - began}
            seconds["training_seconds"] = run.status["seconds"]
            timed.append({"accuracy": accuracy, **seconds})
    first, *rest = timed
    return {"runs": rest, **tell_beginning(first["seconds"], rest)}


def main() -> int:
    """Race for each target; the exit code counts who did not arrive."""
    parser = argparse.ArgumentParser()
    for name in ("peers", "data", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--target", type=float, choices=list(PEERS), action="append")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--dry-run", action="store_true")
    asked = parser.parse_args()
    make_folder(asked.out)
    runs, dry = (2 if asked.dry_run else asked.runs), asked.dry_run
    failed = 0
    for target in asked.target or PEERS:
        entries: dict[str, Any] = {}
        for source in (None, *PEERS[target]):
            entry = (
                run_ours(target, asked.data, runs, dry=dry)
                if source is None
                else run_peer(asked.peers / source, asked.data, runs, LONGEST[target], dry=dry)
            )
            for key in ("seconds", "accuracy") if entry["runs"] else ():
                entry[key] = sum_up([run[key] for run in entry["runs"]])
            entries["smallvision" if source is None else Path(source).stem] = entry
            record = {
                **begin_record("gpu-race", " ".join(sys.argv), choose_machine()),
                "target": target,
                "dry_run": dry,
                "entries": entries,
            }
            write_json(asked.out / f"race-{target:g}.json", record)  # what is known so far
            print(f"{target:g}", source or "smallvision", entry.get("seconds"), flush=True)
        failed += sum("error" in entry for entry in entries.values())
    return failed


if __name__ == "__main__":
    sys.exit(main())
