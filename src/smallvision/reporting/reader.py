"""A study folder read into the page's data: strict about damage, plain about absence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from smallvision.errors import RecordError
from smallvision.records.files import read_json
from smallvision.records.layout import REFIT, SEEDS, SNAPSHOTS, STATUS
from smallvision.reporting.findings import Ensemble, Tuning
from smallvision.reporting.folder import Folder, is_plain_name
from smallvision.reporting.gallery import read_exploration, read_mistakes, sum_up_lost
from smallvision.reporting.scores import Seeds, Verdict, Verdicts
from smallvision.reporting.view import (
    About,
    Card,
    Epoch,
    Opening,
    Outcome,
    Plan,
    Rung,
    Schedule,
    Scorecard,
    Split,
    State,
    Study,
    Tested,
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
    if card.best and card.best not in {rung.name for rung in card.rungs}:
        raise RecordError(f"{path}/study.json: its best rung, {card.best!r}, is none of its rungs")
    mistakes = read_mistakes(folder, f"runs/{card.best}") if card.best else None
    missing = sum_up_lost(folder.missing)
    study = Study(
        card, rungs, split, exploration, scorecard, openings, environment, missing, mistakes
    )
    check_classes(study, path)
    return study


def read_run(path: Path) -> tuple[tuple[Rung, ...], About]:
    """Read a run folder, and what was trained inside it: repeats, a refit, snapshots.

    Returns: the run and those, in this order, and what the page tells besides.

    Raises:
        RecordError: the folder is no run, or a record is damaged.
    """
    folder = Folder(path)
    if not folder.has(STATUS):
        raise RecordError(
            f"{path} is neither a study nor a run; name a folder that `smallvision study` or "
            "`smallvision train` wrote"
        )
    status = read_json(path / STATUS)
    places = {status["name"]: "."}
    seeds = [repeat.parent.name for repeat in path.glob(f"{SEEDS}/*/{STATUS}")]
    places |= {
        f"seed {seed}": f"{SEEDS}/{seed}" for seed in sorted(seeds, key=lambda s: (len(s), s))
    }
    inside = {"refit": REFIT, "snapshots": SNAPSHOTS}
    places |= {name: place for name, place in inside.items() if folder.has(f"{place}/{STATUS}")}
    runs = [read_lone(folder, name, place) for name, place in places.items()]
    about = About(
        status.get("data"),
        folder.read_optional(Split, "split.json"),
        folder.read_optional(Tested, "test.json"),
        read_environment(folder) or {},
    )
    return tuple(runs), about


def read_lone(folder: Folder, name: str, place: str) -> Rung:
    """Read one run, as a rung that answers no question.

    Raises:
        RecordError: a record is damaged.
    """
    status = read_json(folder.path / place / STATUS)
    state: State = "failed"
    if status["status"] in ("running", "done"):
        state = status["status"]
    run = read_unjudged(folder, Plan(name, "", None, state, status.get("error")), place)
    outcome = run.outcome
    if status.get("kind") == "refit":  # which was trained on them: these are its twin's
        outcome = replace(outcome, val=None, gap=None, calibration=None)
    return replace(run, outcome=outcome, seeds=folder.read_optional(Seeds, f"{place}/seeds.json"))


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
    ensemble = folder.read_optional(Ensemble, f"{run}/ensemble.json")
    status = f"{run}/status.json"
    if plan.status == "done":
        outcome = folder.read(Outcome, status, f"{plan.name} has no numbers.")
    else:
        outcome = folder.read_optional(Outcome, status)
    return Rung(
        plan=plan,
        outcome=outcome or Outcome(),
        **read_training(folder, run),
        step=find_verdict(verdicts.steps, plan.name),
        against_best=find_verdict(verdicts.against_best, plan.name),
        seeds=folder.read_optional(Seeds, f"{run}/seeds.json"),
        tuning=folder.read_optional(Tuning, f"{run}/tune/tune.json"),
        ensemble=ensemble,
        snapshots=read_unjudged(folder, plan, f"{run}/{SNAPSHOTS}") if ensemble else None,
    )


def read_training(folder: Folder, run: str) -> dict[str, Any]:
    """Read what every training run leaves behind; an absent part is empty or None."""
    return {
        "epochs": folder.read_lines(Epoch, f"{run}/metrics.jsonl"),
        "schedule": folder.read_optional(Schedule, f"{run}/schedule.json"),
        "recipe": folder.read_text(f"{run}/recipe.toml"),
        "recipe_diff": folder.read_text(f"{run}/recipe.diff.toml"),
    }


def read_unjudged(folder: Folder, plan: Plan, run: str) -> Rung:
    """Read a training run that no verdict speaks of, such as the one behind an ensemble."""
    outcome = folder.read_optional(Outcome, f"{run}/{STATUS}") or Outcome()
    return Rung(plan, outcome, **read_training(folder, run), step=None, against_best=None)


def find_verdict(verdicts: tuple[Verdict, ...], rung: str) -> Verdict | None:
    """Find the verdict about a rung, or None."""
    return next((verdict for verdict in verdicts if verdict.rung == rung), None)


def check_classes(study: Study, path: Path) -> None:
    """Refuse records that contradict the number of classes.

    Raises:
        RecordError: a list has not one entry per class, or a record names a class out of range.
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
    named = study.mistakes.list_classes() if study.mistakes else ()
    beyond = [number for number in named if not 0 <= number < K]
    if beyond:
        raise RecordError(
            f"{path}/runs/{study.card.best}/errors/errors.json: class {beyond[0]} where "
            f"study.json names {K} classes; do the records belong together?"
        )
