"""The time to a target: whole processes, from start to figure, with several seeds."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

from benchmarks.records import begin_record
from smallvision.data.loading.load import as_dataset
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.recipes import aim, override
from smallvision.recipes.toml import sum_recipe
from smallvision.records.fields import POOLED
from smallvision.records.files import read_json, write_json
from smallvision.records.layout import STATUS
from smallvision.records.ledger import LEDGER
from smallvision.stats.intervals import CONFIDENCE


def bench_accuracy(
    data: str,
    target: float,
    folder: Path,
    *,
    seeds: int = 5,
    on_test: bool = False,
    settings: Sequence[str] = (),
    data_dir: Path | None = None,
    command: str = "smallvision.bench.bench_accuracy()",
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Train the recipe of a target with several seeds, each in a process of its own.

    The time is that of the whole process: start, imports, loading, compiling if it compiles,
    training and the final prediction.

    Args:
        data: name or path of the data set.
        target: the accuracy to reach, for which there is a recipe.
        folder: where the runs go, `seed-0` and so on. A run found there is not made again, so
            that no seed is tried twice; one that was cut short is, since its time is that of all.
        seeds: runs.
        on_test: train on all images and open the test set once a run, instead of validating.
        settings: overrides such as `"epochs=6"`.
        data_dir: where to look for a named data set first.
        command: for the record.
        say: told how it goes.

    Returns: a record; each run's seed, accuracy and seconds, their mean, deviation and interval,
        and the share of runs that reached the target.

    Raises:
        FailedRunError: a run did not come to its end.
        DataError: there is no such data set.
        RecordError: a run found there is of another recipe, was measured on the other images or
            on another machine, or opened the test set and was cut short.
        SettingError: no recipe was made for this target, or a setting is unknown, out of range or
            not for these images.
    """
    name = as_dataset(data, data_dir).name
    runs, machines = [], []
    for seed in range(seeds):
        place = folder / f"seed-{seed}"
        if (place / "bench.json").exists():
            wanted = sum_recipe(override(aim(target), [*settings, f"seed={seed}"]))["recipe_sum"]
            found = read_json(place / STATUS)
            others = found.get("data") != name or (found.get("kind") == POOLED) != on_test
            if found.get("recipe_sum") != wanted or others:
                raise RecordError(
                    f"{place} holds a run of another recipe or on other images; "
                    "name another folder with --runs"
                )
        else:
            time_run(data, target, place, seed, on_test, settings, data_dir)
        machines.append(tell_machine(place))
        if machines[-1] != machines[0]:
            raise RecordError(
                f"{folder} holds runs on more than one machine; name another folder with --runs"
            )
        run = read_json(place / "bench.json")
        runs.append(run)
        say(f"seed {seed}: {run['accuracy']:.2%} after {run['seconds']:.1f} s")
    accuracies, seconds = ([run[key] for run in runs] for key in ("accuracy", "seconds"))
    return {
        **begin_record("accuracy", command, None),
        "machine": machines[0][0],
        "data": data,
        "target": target,
        "split": "test" if on_test else "val",
        "n": runs[0]["n"],
        "settings": list(settings),
        "runs": runs,
        "accuracy": sum_up(accuracies),
        "seconds": sum_up(seconds),
        "reached": sum(accuracy >= target for accuracy in accuracies) / len(accuracies),
    }


def time_run(
    data: str,
    target: float,
    place: Path,
    seed: int,
    on_test: bool,
    settings: Sequence[str],
    data_dir: Path | None,
) -> None:
    """Train one seed in a process of its own and write `bench.json` into its folder."""
    if (place / LEDGER).exists():
        raise RecordError(
            f"{place} opened the test set, and was cut short before its time was written; "
            "name another folder with --runs"
        )
    if (place / STATUS).exists():
        shutil.rmtree(place)
    arguments = [data, "speednet", "--target", str(target), "--out", str(place), "--json"]
    if on_test:
        arguments += ["--refit", "--evaluate"]
    if data_dir is not None:
        arguments += ["--data-dir", str(data_dir)]
    for setting in (*settings, f"seed={seed}"):
        arguments += ["--set", setting]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "smallvision", "train", *arguments], capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        complaint = done.stderr.strip().splitlines()[-1:] or [f"code {done.returncode}"]
        kind = SettingError if done.returncode == SettingError.exit_code else FailedRunError
        raise kind(f"{place}: {complaint[0].removeprefix('error: ')}")
    summary = json.loads(done.stdout.splitlines()[-1])
    scored = summary["test"] if on_test else summary["val"]
    record = {
        "schema": 1,
        "seed": seed,
        "accuracy": scored["accuracy"],
        "n": scored["n"],
        "seconds": seconds,
        "training_seconds": summary["seconds"],
    }
    write_json(place / "bench.json", record)


def tell_machine(place: Path) -> tuple[Any, ...]:
    """What a run's time depends on besides its recipe."""
    environment = read_json(place / "environment.json")
    parts = ("gpu", "processor", "generation", "instructions")
    return read_json(place / STATUS)["machine"], *(environment.get(part) for part in parts)


def sum_up(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation and 95 % interval of the mean; the latter two from two values on."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return {"mean": mean, "std": None, "interval": None}
    std = float(np.std(values, ddof=1))
    half = float(t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * std / math.sqrt(count)
    return {"mean": mean, "std": std, "interval": [mean - half, mean + half]}
