"""A whole study: explore, split, climb the ladder, open the test set once, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from smallvision.augment import AUGMENTATIONS
from smallvision.data.dataset import DataSet
from smallvision.data.explore import Exploration, Preview, explore_images
from smallvision.data.load import as_dataset
from smallvision.data.rehearsal import rehearse
from smallvision.data.split import Split, make_split
from smallvision.errors import UserError
from smallvision.evaluation import evaluate_on_test
from smallvision.predict import fingerprint_model, load_model
from smallvision.recipes import Rung, Task, find_preset, read_recipe
from smallvision.recipes.build import build_augmentations, build_machine
from smallvision.records.files import now, read_json, write_json
from smallvision.records.folder import STATUS, STUDY, check_folder, lock_folder
from smallvision.reporting import write_report
from smallvision.study.journal import describe_data, open_study, reopen_study, summarize_study
from smallvision.study.narration import Narrator, Silence
from smallvision.study.plan import Limits, StudyPlan, cut_ladder
from smallvision.study.run import run_recipe
from smallvision.study.verdicts import is_done, judge_ladder


def run_study(
    data: DataSet | str | Path,
    folder: str | Path,
    plan: StudyPlan | None = None,
    *,
    resume: bool = False,
    data_dir: str | Path | None = None,
    narrator: Narrator | None = None,
) -> dict[str, Any]:
    """Run a study, or go on with one.

    Args:
        data: what to study; a data set, a name or a path.
        folder: new or empty; with `resume`, one that holds this study.
        plan: what to do; by default, preset `quick`.
        resume: keep finished rungs and go on in the middle of an unfinished one.
        data_dir: where to look for a named data set first.
        narrator: told how it goes.

    Returns: the summary that `smallvision study --json` prints.

    Raises:
        UserError: bad settings, a folder that is not ours, or images that cannot be split; what
            was there before is untouched.
    """
    folder, plan, narrator = Path(folder), plan or StudyPlan(), narrator or Silence()
    # What can be wrong without the images is found before they are loaded or downloaded.
    cut_ladder(plan)
    check_folder(folder, STUDY, resume=resume)
    dataset = as_dataset(data, data_dir)
    if plan.dry_run:
        dataset = rehearse(dataset, plan.seed)
    split = make_split(
        dataset.train,
        val=dataset.val,
        subset=find_preset(plan.preset).subset(len(dataset.train)),
        seed=plan.seed,
    )
    task = Task(dataset.train.shape, len(split.train), dataset.mirror_safe)
    ladder = cut_ladder(plan, task)
    with lock_folder(folder):
        return climb_ladder(ladder, dataset, split, folder, plan, narrator, resume=resume)


def climb_ladder(
    ladder: Sequence[Rung],
    dataset: DataSet,
    split: Split,
    folder: Path,
    plan: StudyPlan,
    narrator: Narrator,
    *,
    resume: bool,
) -> dict[str, Any]:
    """The study itself, in a folder that is ours."""
    begin = reopen_study if check_folder(folder, STUDY, resume=resume) else open_study
    record = begin(folder, dataset, split, ladder, plan)
    for sentence in (*dataset.notes, describe_data(dataset, split)):
        narrator.say(sentence)
    if not (folder / "exploration" / "exploration.json").exists():
        explore_split(dataset, split, ladder, plan.seed).write(folder / "exploration")

    for rung in ladder:
        climb_rung(rung, dataset, split, folder, record, plan.limits, narrator)
    conclude(folder, record, plan)
    write_json(folder / STUDY, record)  # the choice is on disk before the seal is opened
    if record["best"] is not None:
        test_best(folder, record, dataset, plan, narrator)
    record["finished"] = now()
    write_json(folder / STUDY, record)
    write_report(folder)
    return summarize_study(folder, record)


def explore_split(dataset: DataSet, split: Split, ladder: Sequence[Rung], seed: int) -> Exploration:
    """Look at the training split, with previews of the augmentations that the ladder uses."""
    previews: dict[str, Preview] = {}
    for rung in ladder:
        built = build_augmentations(rung.recipe)
        for settings, augment in zip(rung.recipe.augment, built, strict=True):
            sentence = AUGMENTATIONS[settings.name].card.sentence
            previews[settings.name] = (settings.name, sentence, augment)
    return explore_images(
        dataset.train.take(split.train),
        mirror_safe=dataset.mirror_safe,
        previews=list(previews.values()),
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
    except (UserError, RuntimeError) as error:
        status = {"status": "failed", "error": " ".join(str(error).split())}
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
    run = folder / "runs" / best
    if path.exists() and read_json(path).get("weights") == fingerprint_model(run):
        narrator.say(f"The test result of {best} is kept; the test set stays sealed.")
        return
    result = evaluate_on_test(
        load_model(run, build_machine(read_recipe(run / "recipe.toml"))),
        dataset,
        folder,
        name=best,
        command=plan.command,
        val=read_json(run / STATUS)["val"],
    )
    write_json(path, result)
    if result["openings"] > 1:
        narrator.say(
            f"Note: this is opening {result['openings']} of the test set in this study; a figure "
            "seen more than once is no longer untouched. The ledger says when and for what."
        )
