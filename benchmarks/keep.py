"""Keep a study's plain records under `results/`, and print its tables for README.md.

    python -m benchmarks.keep STUDY results/NAME     copy the records, then print the tables
    python -m benchmarks.keep results/NAME           print the tables

Records only: no weights, and no pictures, for those show images of the data set.
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

KEPT = (
    "study.json",
    "environment.json",
    "split.json",
    "exploration/exploration.json",
    "verdicts.json",
    "test.json",
    "ledger.jsonl",
    *(
        f"{run}/{name}"
        for run in ("runs/*", "runs/*/members/*", "runs/*/seeds/*")
        for name in ("status.json", "recipe.toml", "metrics.jsonl", "schedule.json")
    ),
    "runs/*/ensemble.json",
    "runs/*/seeds.json",
    "runs/*/errors/errors.json",
    "runs/*/tune/tune.json",
)


def keep(study: Path, target: Path) -> None:
    """Copy the records of a finished study, in place of those of an earlier one.

    They are copied beside and shown once, so that those of the earlier one are there until all is
    well; and nothing is replaced but what was kept before.
    """
    known, other = target.resolve(), study.resolve()
    if known in (other, *other.parents) or other in known.parents:
        sys.exit(f"{target} and {study} lie in each other; name another folder")
    found = {path for pattern in KEPT for path in target.glob(pattern)}
    here = {path for path in target.rglob("*") if path.is_file()}
    if here - found or (here and not (target / "study.json").exists()):
        sys.exit(f"{target} holds more than records kept before; name another folder")
    if not (study / "test.json").exists():
        sys.exit(f"{study} holds no finished study")
    beside = target.with_name(f"{target.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for pattern in KEPT:
        for path in sorted(study.glob(pattern)):
            place = beside / path.relative_to(study)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    show(beside)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)


def read(path: Path) -> dict[str, Any]:
    """One JSON record."""
    record: dict[str, Any] = json.loads(path.read_text())
    return record


def tell_test(test: dict[str, Any]) -> str:
    """The test accuracy with its interval, and how often the test set was opened."""
    low, high = (f"{bound * 100:.2f}" for bound in test["interval"])
    times = "once" if test["openings"] == 1 else f"{test['openings']} times"
    accuracy = f"**{test['accuracy'] * 100:.2f} %** ({low} to {high})"
    return f"{accuracy} on {test['n']:,} images, opened {times} for this model"


def are_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two measurements of speed are of machines alike; older ones say less of theirs."""
    places = (one["environment"], other["environment"])
    said = [
        {place[name] for place in places if place.get(name)}
        for name in ("processor", "instructions", "generation")
    ]
    return one["machine"] == other["machine"] and all(len(values) < 2 for values in said)


def go_on(out: Path, fresh: dict[str, Any]) -> dict[str, Any]:
    """The record at `out`, to be added to; `fresh` where there is none.

    It must be of the same kind, recipe and machine, or what is measured now does not belong there.
    """
    if not out.exists():
        return fresh
    known = read(out)
    if any(known.get(key) != fresh[key] for key in ("kind", "recipe_sum")):
        sys.exit(f"{out} is another measurement, or of another recipe; name another file")
    if not are_alike(known, fresh):
        sys.exit(f"{out} was measured on another machine; name another file")
    return known


def tell_place(environment: dict[str, Any], machine: dict[str, Any], time: str) -> str:
    """Where and when a record was made."""
    generation = environment.get("generation")
    return (
        f"{environment['processor']}{f' ({generation})' if generation else ''}, "
        f"{machine['threads']} threads, {machine['precision']}, torch "
        f"{environment['versions']['torch']}, {time[:10]}"
    )


def tell_minutes(study: dict[str, Any]) -> str:
    """How long a study took that was made in one sitting."""
    began, ended = (datetime.fromisoformat(study[when]) for when in ("created", "finished"))
    return f"{(ended - began).total_seconds() / 60:.1f}"


def phrase(step: dict[str, Any] | None) -> str:
    """A verdict in a few words."""
    if step is None:
        return ""
    if step["verdict"] == "cannot tell apart":
        return f"cannot be told from {step['against']}"
    return f"{step['verdict']} than {step['against']} by {abs(step['difference']) * 100:.2f} points"


def show(folder: Path) -> str:
    """The rungs as a Markdown table, the test result and where it was obtained."""
    study, environment = read(folder / "study.json"), read(folder / "environment.json")
    lines = [
        "| rung | validation % (95 % interval) | training % | parameters | minutes | verdict |",
        "|---|---|---|---|---|---|",
    ]
    verdicts = {step["rung"]: step for step in read(folder / "verdicts.json")["steps"]}
    for rung in study["rungs"]:
        if rung["status"] != "done":
            continue
        status = read(folder / "runs" / rung["name"] / "status.json")
        val, train = status["val"], status["train"]
        path = folder / "runs" / rung["name"] / "seeds.json"
        if path.exists():
            seeds = read(path)
            val = val | {
                "accuracy": seeds["mean"],
                "interval": seeds["interval"] or val["interval"],
            }
        low, high = (f"{bound * 100:.2f}" for bound in val["interval"])
        name = f"**{rung['name']}**" if rung["name"] == study["best"] else rung["name"]
        lines.append(
            f"| {name} | {val['accuracy'] * 100:.2f} ({low} to {high}) "
            f"| {train['accuracy'] * 100:.2f} | {status['parameters'] / 1e6:.2f} M "
            f"| {status['seconds'] / 60:.1f} | {phrase(verdicts.get(rung['name']))} |"
        )
    test = read(folder / "test.json")
    machine = read(folder / "runs" / study["best"] / "status.json")["machine"]
    runs = "One run of each rung (n = 1, "
    if study.get("seeds", 1) > 1:
        which = ", ".join(study.get("repeat") or ["each rung but the ensemble"])
        runs = f"{study['seeds']} runs of {which}, told as their mean; one of the others ("
    lines += [
        "",
        f"Test of `{test['model']}`: {tell_test(test)}. {runs}seed "
        f"{study['seed']}), preset `{study['preset']}`, validated on {val['n']:,} images; "
        f"{tell_place(environment, machine, study['created'])}. From start to report: "
        f"{tell_minutes(study)} minutes.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    folders = [Path(argument) for argument in sys.argv[1:]]
    if not 1 <= len(folders) <= 2 or not folders[0].is_dir():
        sys.exit(__doc__)
    if len(folders) == 2:
        keep(*folders)
    print(show(folders[-1]))
