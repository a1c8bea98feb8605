"""A whole study: explore, split, climb the ladder, open the test set once, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from smallvision.augment import AUGMENTATIONS
from smallvision.data.dataset import DataSet
from smallvision.data.explore import Preview, explore_images
from smallvision.data.rehearsal import rehearse
from smallvision.data.split import (
    Split,
    make_split,
    read_split,
    write_split,
)
from smallvision.errors import RecordError, UserError
from smallvision.evaluation import evaluate_on_test
from smallvision.predict import load_model
from smallvision.recipes import Rung, Task, build_ladder, find_preset, override, read_recipe
from smallvision.recipes.build import build_augmentations, build_machine
from smallvision.records.environment import describe_environment
from smallvision.records.files import now, read_json, write_json
from smallvision.records.folder import STATUS, STUDY, claim_folder
from smallvision.reporting import write_report
from smallvision.study.run import run_recipe, split_record
from smallvision.study.verdicts import is_done, judge_ladder
from smallvision.training import Watcher

VAL_FRACTION = 0.2


@dataclass(frozen=True)
class Limits:
    """What a rung must satisfy to win; None sets no limit.

    Attributes:
        gap: train minus validation accuracy, a fraction.
        parameters: trained numbers.
        latency_seconds: to classify one image.
    """

    gap: float | None = 0.10
    parameters: int | None = None
    latency_seconds: float | None = None

    def allow(self, status: dict[str, Any]) -> bool:
        """Whether a finished run is within every limit."""
        return all(
            limit is None or status[name] <= limit
            for name, limit in (
                ("gap", self.gap),
                ("parameters", self.parameters),
                ("latency_seconds", self.latency_seconds),
            )
        )

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "gap": self.gap,
            "parameters": self.parameters,
            "latency_seconds": self.latency_seconds,
        }


class Narrator(Protocol):
    """Tells a person how the study goes; the command line has one that draws."""

    def say(self, sentence: str, /) -> None:
        """Say one sentence."""

    def watch(self, rung: Rung, /) -> Sequence[Watcher]:
        """Watchers for the run of a rung that is about to begin."""

    def finish(self, rung: Rung, status: dict[str, Any], /) -> None:
        """A rung is done, failed or was done before."""


class Silence:
    """Says nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""

    def watch(self, _rung: Rung) -> Sequence[Watcher]:
        """Nobody watches."""
        return ()

    def finish(self, _rung: Rung, _status: dict[str, Any]) -> None:
        """Nothing."""


@dataclass(frozen=True)
class StudyPlan:
    """What a study is asked to do.

    Attributes:
        preset: scale, a name of `recipes.PRESETS`.
        seed: governs the split and every run.
        settings: `key=value` overrides for every rung.
        limits: what the winner must satisfy.
        dry_run: the same lines at tiny size: few images, one or two epochs.
        command: for the records.
    """

    preset: str = "quick"
    seed: int = 0
    settings: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    dry_run: bool = False
    command: str = "smallvision.run_study()"


DRY_EPOCHS = 2


def run_study(
    dataset: DataSet,
    folder: Path,
    plan: StudyPlan,
    *,
    resume: bool = False,
    narrator: Narrator | None = None,
) -> dict[str, Any]:
    """Run a study, or go on with one.

    Args:
        dataset: what to study.
        folder: new or empty; with `resume`, one that holds this study.
        plan: what to do.
        resume: keep finished rungs and go on in the middle of an unfinished one.
        narrator: told how it goes.

    Returns: the summary that `smallvision study --json` prints.

    Raises:
        UserError: bad settings, a folder that is not ours, or images that cannot be split; what
            was there before is untouched.
    """
    narrator = narrator or Silence()
    if plan.dry_run:
        dataset = rehearse(dataset, plan.seed)
    split = make_split(
        dataset.train,
        val=dataset.val,
        val_fraction=VAL_FRACTION,
        subset=find_preset(plan.preset).subset(len(dataset.train)),
        seed=plan.seed,
    )
    ladder = cut_ladder(dataset, split, plan)
    resuming = claim_folder(folder, STUDY, resume=resume)
    record = (
        reopen_study(folder, dataset, split, ladder, plan)
        if resuming
        else open_study(folder, dataset, split, ladder, plan)
    )
    for sentence in (*dataset.notes, describe_data(dataset, split)):
        narrator.say(sentence)
    if not (folder / "exploration" / "exploration.json").exists():
        explore_split(dataset, split, ladder, plan.seed).write(folder / "exploration")

    for rung in ladder:
        climb_rung(rung, dataset, split, folder, record, plan.limits, narrator)
    conclude(folder, record, plan)
    if record["best"] is not None:
        test_best(folder, record, dataset, plan, narrator)
    record["finished"] = now()
    write_json(folder / STUDY, record)
    report = write_report(folder)
    return summarize_study(folder, record, report)


def task_of(dataset: DataSet, num_train: int) -> Task:
    """What the ladder is cut to."""
    return Task(dataset.train.shape, num_train, dataset.mirror_safe)


def cut_ladder(dataset: DataSet, split: Split, plan: StudyPlan) -> list[Rung]:
    """The preset's rungs for this data set, with the overrides in place.

    Raises:
        SettingError: an unknown key, a value out of range, or a device that is not here.
    """
    rungs = build_ladder(
        find_preset(plan.preset), task_of(dataset, len(split.train)), seed=plan.seed
    )
    settings = list(plan.settings)
    if plan.dry_run:
        settings = [f"epochs={DRY_EPOCHS}", "batch_size=32", *settings]
    cut = [replace(rung, recipe=override(rung.recipe, settings)) for rung in rungs]
    for rung in cut:
        build_machine(rung.recipe)  # a device that is not here must be known before all else
    return cut


def open_study(
    folder: Path, dataset: DataSet, split: Split, ladder: Sequence[Rung], plan: StudyPlan
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
        "goal": {"maximise": "val_accuracy", "limits": plan.limits.record()},
        "data": describe_source(dataset),
        "rungs": [
            {
                "name": rung.name,
                "question": rung.question,
                "weakness": rung.weakness,
                "builds_on": rung.builds_on,
                "status": "pending",
                "error": None,
            }
            for rung in ladder
        ],
        "best": None,
        "best_reason": None,
    }
    write_split(folder, split, split_record(dataset, split))
    write_json(folder / "environment.json", describe_environment())
    write_json(folder / STUDY, record)
    return record


def reopen_study(
    folder: Path, dataset: DataSet, split: Split, ladder: Sequence[Rung], plan: StudyPlan
) -> dict[str, Any]:
    """Read a study back and check that it is this one.

    Raises:
        RecordError: it was begun on other data, another split, preset or other settings.
    """
    record = read_json(folder / STUDY)
    read_split(folder)
    if read_json(folder / "split.json") != split_record(dataset, split):
        raise RecordError(f"{folder} was begun on other data or another split; name another folder")
    if (record["preset"], record["seed"]) != (plan.preset, plan.seed):
        raise RecordError(
            f"{folder} was begun with preset {record['preset']} and seed {record['seed']}; "
            "resume it with the same ones, or name another folder"
        )
    if [rung["name"] for rung in record["rungs"]] != [rung.name for rung in ladder]:
        raise RecordError(f"{folder} has other rungs; name another folder with --out")
    for rung in ladder:
        written = folder / "runs" / rung.name / "recipe.toml"
        if written.exists() and read_recipe(written) != rung.recipe:
            raise RecordError(
                f"{written} was made with other settings; resume with the same --set, "
                "or name another folder with --out"
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
    """One sentence for the terminal."""
    C, H, W = dataset.train.shape
    return (
        f"{dataset.name}: {H}x{W} {'grey' if C == 1 else 'colour'} images, "
        f"{dataset.train.num_classes} classes; {len(split.train):,} to train on, "
        f"{len(split.val):,} to validate on, {len(dataset.test):,} sealed for the test."
    )


def explore_split(dataset: DataSet, split: Split, ladder: Sequence[Rung], seed: int) -> Any:
    """Look at the training split, with previews of the augmentations that the ladder uses."""
    used = {settings.name: rung for rung in ladder for settings in rung.recipe.augment}
    previews: list[Preview] = []
    for name, rung in used.items():
        at = [settings.name for settings in rung.recipe.augment].index(name)
        augment = build_augmentations(rung.recipe)[at]
        previews.append((name, AUGMENTATIONS[name].card.sentence, augment))
    return explore_images(
        dataset.train.take(split.train),
        mirror_safe=dataset.mirror_safe,
        previews=previews,
        num_val=len(split.val),
        seed=seed,
    )


def climb_rung(
    rung: Rung,
    dataset: DataSet,
    split: Split,
    folder: Path,
    record: dict[str, Any],
    limits: Limits,
    narrator: Narrator,
) -> None:
    """Train one rung and enter its outcome; a rung that fails does not sink the study."""
    entry = next(entry for entry in record["rungs"] if entry["name"] == rung.name)
    run = folder / "runs" / rung.name
    entry |= {"status": "running", "error": None}
    write_json(folder / STUDY, record)
    try:
        status = run_recipe(rung.recipe, dataset, split, run, watchers=narrator.watch(rung))
        status["within_limits"] = limits.allow(status)
        write_json(run / STATUS, status)
        entry["status"] = "done"
    except (UserError, RuntimeError, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        status = {"status": "failed", "error": reason}
        entry |= status
    write_json(folder / STUDY, record)
    narrator.finish(rung, status)


def conclude(folder: Path, record: dict[str, Any], plan: StudyPlan) -> None:
    """Choose the winner on validation, within the limits, and judge every rung."""
    finished = {
        rung["name"]: read_json(folder / "runs" / rung["name"] / STATUS)
        for rung in record["rungs"]
        if is_done(rung)
    }
    if not finished:
        record |= {"best": None, "best_reason": "no rung was finished"}
        return
    within = {name: status for name, status in finished.items() if plan.limits.allow(status)}
    record["best"] = max(
        within or finished,
        key=lambda name: (finished[name]["val"]["accuracy"], -finished[name]["val"]["loss"]),
    )
    record["best_reason"] = (
        "highest validation accuracy among the rungs within every limit"
        if within
        else "highest validation accuracy; no rung is within every limit"
    )
    write_json(folder / "verdicts.json", judge_ladder(folder, record["rungs"], record["best"]))


def test_best(
    folder: Path, record: dict[str, Any], dataset: DataSet, plan: StudyPlan, narrator: Narrator
) -> None:
    """Open the test set for the winner, unless this winner has been tested already."""
    best, path = record["best"], folder / "test.json"
    if path.exists() and read_json(path)["model"] == best:
        narrator.say(f"The test result of {best} is kept; the test set stays sealed.")
        return
    run = folder / "runs" / best
    result = evaluate_on_test(
        load_model(run),
        dataset,
        folder,
        study=record["name"],
        name=best,
        command=plan.command,
        val=read_json(run / STATUS)["val"],
    )
    if result["openings"] > 1:
        narrator.say(
            f"Note: this is opening {result['openings']} of the test set in this study; a figure "
            "seen more than once is no longer untouched. The ledger says when and for what."
        )


def summarize_study(folder: Path, record: dict[str, Any], report: Path) -> dict[str, Any]:
    """What `smallvision study --json` prints."""
    rungs = []
    for rung in record["rungs"]:
        status = read_json(folder / "runs" / rung["name"] / STATUS) if is_done(rung) else {}
        val = status.get("val", {})
        rungs.append(
            {
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
        "report": str(report),
    }
