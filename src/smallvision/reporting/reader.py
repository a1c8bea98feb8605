"""A study folder read into the page's data: strict about damage, plain about absence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.errors import RecordError
from smallvision.records.files import read_json
from smallvision.reporting.folder import Folder, is_plain_name
from smallvision.reporting.gallery import read_exploration
from smallvision.reporting.view import (
    Card,
    Epoch,
    Opening,
    Outcome,
    Plan,
    Rung,
    Schedule,
    Scorecard,
    Split,
    Study,
    Verdict,
    Verdicts,
)


def read_study(path: Path) -> Study:
    """Read all records of a study folder.

    Raises:
        RecordError: the folder is no study, or a record is damaged or contradicts another.
    """
    folder = Folder(path)
    if not folder.has("study.json"):
        raise RecordError(
            f"{path} is no study folder (it has no study.json); "
            "name the folder that `smallvision study` wrote"
        )
    card = folder.read(Card, "study.json", "")
    assert card is not None
    split = folder.read(Split, "split.json", "the report cannot say how the images were split.")
    exploration = read_exploration(folder)
    verdicts = folder.read(Verdicts, "verdicts.json", "no rung could be compared with another.")
    rungs = tuple(read_rung(folder, plan, verdicts or Verdicts((), ())) for plan in card.rungs)
    scorecard = folder.read(Scorecard, "test.json", "there is no test result.")
    openings = folder.read_lines(Opening, "ledger.jsonl")
    environment = read_environment(folder)
    missing = tuple(folder.missing)
    study = Study(
        card, rungs, split, exploration, scorecard, openings, environment, missing=missing
    )
    check_classes(study, path)
    return study


def read_environment(folder: Folder) -> dict[str, Any] | None:
    """Read the machine's description; its fields are free."""
    if folder.has("environment.json"):
        return read_json(folder.path / "environment.json")
    folder.missing.append("environment.json is missing: versions and hardware are unknown.")
    return None


def read_rung(folder: Folder, plan: Plan, verdicts: Verdicts) -> Rung:
    """Collect what a run folder and the verdicts say about one rung.

    Raises:
        RecordError: the rung's name is no folder name, or a record is damaged.
    """
    if not is_plain_name(plan.name):
        raise RecordError(f"{folder.path}/study.json: {plan.name!r} is not a plain rung name")
    run = f"runs/{plan.name}"
    status = f"{run}/status.json"
    if plan.status == "done":
        outcome = folder.read(Outcome, status, f"{plan.name} has no numbers.")
    else:
        outcome = folder.read_optional(Outcome, status)
    return Rung(
        plan=plan,
        outcome=outcome or Outcome(),
        epochs=folder.read_lines(Epoch, f"{run}/metrics.jsonl"),
        schedule=folder.read_optional(Schedule, f"{run}/schedule.json"),
        recipe=folder.read_text(f"{run}/recipe.toml"),
        recipe_diff=folder.read_text(f"{run}/recipe.diff.toml"),
        step=find_verdict(verdicts.steps, plan.name),
        against_best=find_verdict(verdicts.against_best, plan.name),
    )


def find_verdict(verdicts: tuple[Verdict, ...], rung: str) -> Verdict | None:
    """Find the verdict about a rung, or None."""
    return next((verdict for verdict in verdicts if verdict.rung == rung), None)


def check_classes(study: Study, path: Path) -> None:
    """Refuse records that contradict the number of classes.

    Raises:
        RecordError: a list has not one entry per class.
    """
    K = len(study.card.data.class_names)
    lengths: dict[str, list[int]] = {}
    if study.exploration is not None:
        lengths["exploration/exploration.json: counts"] = [len(study.exploration.counts)]
    if study.split is not None:
        lengths["split.json: counts"] = [len(row) for row in study.split.counts.values()]
    if study.scorecard is not None:
        rows = study.scorecard.confusion
        lengths["test.json: confusion"] = [len(rows), *map(len, rows)]
        lengths["test.json: per_class"] = [len(study.scorecard.per_class)]
    for place, found in lengths.items():
        wrong = [length for length in found if length != K]
        if wrong:
            raise RecordError(
                f"{path}/{place}: {wrong[0]} entries where study.json names {K} classes; "
                "do the records belong together?"
            )
