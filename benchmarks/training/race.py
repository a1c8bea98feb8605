"""Time the headline command beside a peer, taking turns, from start of process to figure.

    python -m benchmarks.training.race AIRBENCH94_MUON.PY DATA_DIR OUT [--target T] [--runs 5]
        [--peer-runs 2]

Each round runs smallvision with the next seed, then the peer, ported to the CPU by
`peers/airbench_cpu.py`, each in a process of its own; the peer needs fewer runs, for only its time
is compared. Alone on the machine, it takes a quarter or half an hour a round on two cores. OUT is
the record, such as `results/bench/NAME/race.json`; a race that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.keep import go_on
from benchmarks.records import begin_record
from benchmarks.training.accuracy import sum_up
from smallvision.compute.machine import choose_machine
from smallvision.recipes import aim
from smallvision.recipes.toml import sum_recipe
from smallvision.records.files import make_folder, write_json

ROOT = Path(__file__).parents[2]
OURS, PEER = "smallvision", "airbench94_muon"


def run_peer(source: Path, data: Path) -> dict[str, float]:
    """Seconds and accuracy of one run of the peer."""
    return time_process(
        ["-m", "benchmarks.peers.airbench_cpu", str(source.resolve()), str(data.resolve())]
    )


def run_ours(data: Path, target: float, seed: int) -> dict[str, float]:
    """Seconds and accuracy of one run of the headline command."""
    with TemporaryDirectory() as place:
        command = (
            f"-m smallvision train cifar10 speednet --target {target} --refit --evaluate --json"
        )
        return time_process(
            [
                *command.split(),
                f"--data-dir={data.resolve()}",
                f"--set=seed={seed}",
                f"--out={place}/run",
            ]
        )


def time_process(arguments: list[str]) -> dict[str, float]:
    """Run Python with arguments; its last line of output is JSON with the accuracy."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    seconds = time.perf_counter() - began
    said = json.loads(done.stdout.splitlines()[-1])
    return {"seconds": seconds, "accuracy": said.get("test", said)["accuracy"]}


def begin(target: float) -> dict[str, Any]:
    """A record without runs."""
    head = begin_record(
        "race", f"python -m benchmarks.training.race --target {target:g}", choose_machine()
    )
    recipe = {"target": target, **sum_recipe(aim(target))}
    return {**head, **recipe, "runs": {OURS: [], PEER: []}}


def write_record(out: Path, record: dict[str, Any]) -> float | None:
    """Write what is known so far; returns the ratio of the mean times, once both have run."""
    runs = record["runs"]
    figures = {
        key: {name: sum_up([run[key] for run in mine]) for name, mine in runs.items() if mine}
        for key in ("seconds", "accuracy")
    }
    means = [figures["seconds"][name]["mean"] for name in (OURS, PEER) if runs[name]]
    ratio = means[0] / means[1] if len(means) == 2 else None
    write_json(make_folder(out.parent) / out.name, {**record, **figures, "ratio": ratio})
    return ratio


def main() -> None:
    """Race, keeping the record up to date after every run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--target", type=float, default=0.94)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer-runs", type=int, default=2)
    asked = parser.parse_args()
    for path in (asked.source, asked.data):
        if not path.exists():
            parser.error(f"there is no {path}")
    wanted = {OURS: asked.runs, PEER: asked.peer_runs}
    record = go_on(asked.out, begin(asked.target))
    runs = record["runs"]
    for seed in range(max(wanted.values())):
        for name, count in wanted.items():
            if not len(runs[name]) <= seed < count:
                continue
            if name == OURS:
                run = run_ours(asked.data, asked.target, seed)
            else:
                run = run_peer(asked.source, asked.data)
            runs[name].append(run)
            ratio = write_record(asked.out, record)
            print(f"round {seed + 1}: {name} {run}, ratio {ratio}", flush=True)


if __name__ == "__main__":
    main()
