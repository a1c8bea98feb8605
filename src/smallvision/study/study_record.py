"""`study.json`: begun, checked on resumption, and summed up at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.comparison.verdicts import is_done
from smallvision.compute.environment import describe_environment
from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import RecordError
from smallvision.records.files import now, read_json, write_json
from smallvision.records.layout import STATUS, STUDY, run_folder
from smallvision.runs.run_data import check_split
from smallvision.study.ladder import Ladder, list_slots
from smallvision.study.plan import StudyPlan


def open_study(
    folder: Path, dataset: DataSet, split: Split, ladder: Ladder, plan: StudyPlan
) -> dict[str, Any]:
    """Write what the study is about, before any of it is done."""
    record = {
        "schema": 1,
        "name": folder.resolve().name,
        "created": now(),
        "finished": None,
        "command": plan.command,
        "preset": plan.preset,
        "seed": plan.seed,
        "settings": list(plan.settings),
        "seeds": plan.seeds,
        "repeat": list(plan.repeat),
        "refit": plan.refit,
        "goal": {"maximise": "val_accuracy", "limits": plan.limits.record()},
        "data": describe_source(dataset),
        "rungs": [
            {
                "slot": rung.slot,
                "name": rung.slot,
                "question": rung.question,
                "weakness": rung.weakness,
                "builds_on": None,
                "note": None,
                "status": "pending" if rung.slot in ladder.chosen else "skipped",
                "error": None,
            }
            for rung in ladder.rungs
        ],
        "best": None,
        "best_reason": None,
    }
    write_json(folder / STUDY, record)
    check_split(folder, dataset, split)
    write_json(folder / "environment.json", describe_environment())
    return record


def reopen_study(
    folder: Path, dataset: DataSet, split: Split, ladder: Ladder, plan: StudyPlan
) -> dict[str, Any]:
    """Read a study back and check that it is this one.

    Raises:
        RecordError: it was begun on other data, or with another preset, seed, limits or settings.
    """
    record = read_json(folder / STUDY)
    if (record["preset"], record["seed"]) != (plan.preset, plan.seed):
        raise RecordError(
            f"{folder} was begun with preset {record['preset']} and seed {record['seed']}; "
            "resume it with the same, or name another folder"
        )
    if record["goal"]["limits"] != plan.limits.record():
        raise RecordError(
            f"{folder} was begun with other limits; limits moved after the results are no limits, "
            "so resume it with the same, or name another folder"
        )
    check_split(folder, dataset, split)
    if record.get("data", {}).get("mirror_safe", dataset.mirror_safe) != dataset.mirror_safe:
        raise RecordError(
            f"{folder} was begun {'without' if dataset.mirror_safe else 'with'} mirror images; "
            "resume it with the same --no-mirror, or name another folder with --out"
        )
    if not (folder / "environment.json").exists():
        write_json(folder / "environment.json", describe_environment())
    slots = [rung.get("slot") for rung in record["rungs"]]
    chosen = {rung.get("slot") for rung in record["rungs"] if rung["status"] != "skipped"}
    if slots != list(list_slots(ladder.rungs)) or chosen != ladder.chosen:
        raise RecordError(f"{folder} has other rungs; name another folder with --out")
    for name in ("settings", "seeds", "repeat", "refit"):
        ours = getattr(plan, name)
        theirs = record.get(name, [] if name == "repeat" else None)  # which older studies lack
        if theirs != (list(ours) if isinstance(ours, tuple) else ours):
            raise RecordError(
                f"{folder} was begun with another --{'set' if name == 'settings' else name}; "
                "resume it with the same, or name another folder with --out"
            )
    return record


def describe_source(dataset: DataSet) -> dict[str, Any]:
    """The `data` part of `study.json`."""
    return {
        "name": dataset.name,
        "source": dataset.source,
        "shape": list(dataset.train.shape),
        "class_names": list(dataset.train.class_names),
        "train_n": len(dataset.train),
        "test_n": len(dataset.test),
        "train_fingerprint": dataset.train.fingerprint,
        "test_fingerprint": dataset.test.fingerprint,
        "mirror_safe": dataset.mirror_safe,
        "notes": list(dataset.notes),
    }


def describe_data(dataset: DataSet, split: Split) -> str:
    """What there is, for the terminal."""
    C, H, W = dataset.train.shape
    dropped = f" {split.dropped:,} were left out, for the validation set holds them too."
    return (
        f"{dataset.name}: {H}x{W} {'grey' if C == 1 else 'colour'} images, "
        f"{dataset.train.num_classes} classes; {len(split.train):,} to train on, "
        f"{len(split.val):,} to validate on, {len(dataset.test):,} sealed for the test."
        f"{dropped if split.dropped else ''}"
    )


def summarize_study(folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    """What `smallvision study --json` prints."""
    rungs = []
    for rung in record["rungs"]:
        status = read_json(run_folder(folder, rung["name"]) / STATUS) if is_done(rung) else {}
        val = status.get("val", {})
        rungs.append(
            {
                "slot": rung.get("slot", rung["name"]),
                "name": rung["name"],
                "val_accuracy": val.get("accuracy"),
                "val_interval": val.get("interval"),
                "train_accuracy": status.get("train", {}).get("accuracy"),
                "parameters": status.get("parameters"),
                "seconds": status.get("seconds"),
                "status": rung["status"],
                **({"error": rung["error"]} if rung["error"] else {}),
            }
        )
    test = read_json(folder / "test.json") if (folder / "test.json").exists() else None
    return {
        "study": str(folder),
        "rungs": rungs,
        "best": record["best"],
        "test": test and {key: test[key] for key in ("accuracy", "interval", "n", "openings")},
        "report": str(folder / "report.html"),
    }
