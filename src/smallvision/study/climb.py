"""A whole study: explore, split, climb the ladder, open the test set once, explain, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.augment import AUGMENTATIONS
from smallvision.comparison.verdicts import is_done, judge_ladder
from smallvision.data.dataset import DataSet
from smallvision.data.dry_run import make_dry_run
from smallvision.data.loading.load import as_dataset
from smallvision.data.split import make_split
from smallvision.ensembles.refit import refit_finished
from smallvision.errors import RecordError, UserError
from smallvision.evaluation import evaluate_on_test
from smallvision.exploration.explore import Exploration, explore_images
from smallvision.exploration.previews import AugmentationPreview
from smallvision.recipes import Recipe, Rung, Task, find_preset, read_run_recipe
from smallvision.recipes.builders import build_augmentations
from smallvision.records.files import now, read_json, write_json
from smallvision.records.layout import STATUS, STUDY, check_folder, lock_folder
from smallvision.records.weights import check_manifest
from smallvision.reporting import write_report
from smallvision.runs.explain import explain_run
from smallvision.runs.progress import Narrator, Silence
from smallvision.runs.refit import load_final, recall_test
from smallvision.study.ladder import choose_best, cut_ladder
from smallvision.study.plan import StudyPlan
from smallvision.study.rungs import WORK, Site
from smallvision.study.study_record import describe_data, open_study, reopen_study, summarize_study


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
        dataset = make_dry_run(dataset, plan.seed)
    split = make_split(
        dataset.train,
        val=dataset.val,
        subset=find_preset(plan.preset).subset(len(dataset.train)),
        seed=plan.seed,
    )
    task = Task(dataset.train.shape, len(split.train), dataset.mirror_safe)
    site = Site(dataset, split, folder, plan, cut_ladder(plan, task), narrator)
    with lock_folder(folder):
        return climb_ladder(site, resume=resume)


def climb_ladder(site: Site, *, resume: bool) -> dict[str, Any]:
    """The study itself, in a folder that is ours."""
    folder, dataset = site.folder, site.dataset
    begin = reopen_study if check_folder(folder, STUDY, resume=resume) else open_study
    record = begin(folder, dataset, site.split, site.ladder, site.plan)
    for sentence in (*dataset.notes, describe_data(dataset, site.split)):
        site.narrator.say(sentence)
    if not (folder / "exploration" / "exploration.json").exists():
        explore_split(site).write(folder / "exploration")

    for rung, entry in zip(site.ladder.rungs, record["rungs"], strict=True):
        if rung.slot in site.ladder.chosen:
            climb_rung(rung, entry, site, record)
    conclude(site, record)
    write_json(folder / STUDY, record)  # the choice is on disk before the seal is opened
    if record["best"] is not None:
        test_best(site, record)
        explain_run(site.run(record["best"]), dataset, site.split)
    record["finished"] = record["finished"] or now()
    write_json(folder / STUDY, record)
    write_report(folder)
    return summarize_study(folder, record)


def explore_split(site: Site) -> Exploration:
    """Look at the training split, with previews of the augmentations that the ladder uses."""
    previews: dict[str, AugmentationPreview] = {}
    for rung in site.ladder.rungs:
        built = build_augmentations(rung.recipe)
        for settings, augment in zip(rung.recipe.augment, built, strict=True):
            sentence = AUGMENTATIONS[settings.name].card.sentence
            previews[settings.name] = AugmentationPreview(settings.name, sentence, augment)
    return explore_images(
        site.dataset.train.take(site.split.train),
        mirror_safe=site.dataset.mirror_safe,
        list_previews=lambda: list(previews.values()),
        num_val=len(site.split.val),
        seed=site.plan.seed,
    )


def climb_rung(rung: Rung, entry: dict[str, Any], site: Site, record: dict[str, Any]) -> None:
    """Set a rung on the best below it, do its work, and enter the outcome.

    A finished rung stays what it is, on the base it had. A rung that fails does not sink the
    study. Records that cannot be read or written do: what was done so far is kept, and the study
    can be resumed.
    """
    if is_done(entry):
        check_manifest(site.run(entry["name"]) / "model")
        site.narrator.finish(entry["name"], read_json(site.run(entry["name"]) / STATUS))
        return
    record["finished"] = None
    rung = place_rung(rung, entry, site, record)
    entry |= {"status": "running", "error": None}
    write_json(site.folder / STUDY, record)
    site.narrator.begin(rung.name, rung.question)
    if entry["note"]:
        site.narrator.say(entry["note"])
    try:
        status = WORK[rung.work](rung, site)
        status["within_limits"] = site.plan.limits.allow(status)
        write_json(site.run(rung.name) / STATUS, status)
        entry["status"] = "done"
    except RecordError:
        raise
    except (UserError, RuntimeError) as error:
        status = {"status": "failed", "error": " ".join(str(error).split())}
        entry |= status
    write_json(site.folder / STUDY, record)
    site.narrator.finish(rung.name, status)


def place_rung(rung: Rung, entry: dict[str, Any], site: Site, record: dict[str, Any]) -> Rung:
    """Build a rung on the best finished rung that it may build on, and enter which that is.

    A rung that was begun in an earlier sitting keeps the base it had, even if a better one has
    been mended since: what lies in its folder was made on that.
    """
    finished = read_finished(site, record)
    slots = {other["name"]: other["slot"] for other in record["rungs"] if is_done(other)}
    below = {name: status for name, status in finished.items() if slots[name] in rung.after}
    base, note = entry["builds_on"], entry["note"]
    if entry["status"] == "pending":
        base = choose_best(below, site.plan.limits)
        note = explain_base(below, base)
    recipe = recipe_of(site, base) if base else None
    placed = site.ladder.place(rung, recipe)
    if entry["status"] == "pending" and recipe is not None:
        note = " ".join(filter(None, [note, explain_length(placed.recipe, recipe)])) or None
    if placed.name in (other["name"] for other in record["rungs"] if other is not entry):
        placed = placed.with_recipe(placed.recipe.model_copy(update={"name": rung.slot}))
    entry |= {"name": placed.name, "builds_on": base, "note": note}
    return placed


def recipe_of(site: Site, name: str) -> Recipe:
    """The recipe that a finished rung was trained with."""
    return read_run_recipe(site.run(name))


def read_finished(site: Site, record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The status of every finished rung, by name, in the ladder's order.

    Where a rung was trained with several seeds, its accuracy is their mean: one that was lucky
    with its first shall not be chosen for that. Limits are kept or broken by the first, which is
    the one that will be used.
    """
    finished = {}
    for rung in filter(is_done, record["rungs"]):
        run = site.run(rung["name"])
        finished[rung["name"]] = status = read_json(run / STATUS)
        if (run / "seeds.json").exists():
            status["val"]["accuracy"] = read_json(run / "seeds.json")["mean"]
    return finished


def explain_base(below: dict[str, dict[str, Any]], base: str | None) -> str | None:
    """Say so where a rung does not build on the last one it could have built on."""
    if base is None or base == list(below)[-1]:
        return None
    later = list(below)[list(below).index(base) + 1 :]
    who = " and ".join(later) if len(later) < 3 else f"none of the {len(later)} rungs after it"
    did = "did not raise" if len(later) < 3 else "raised"
    return (
        f"Builds on {base}, the best so far: {who} {did} validation accuracy above it within the "
        "limits."
    )


def explain_length(recipe: Recipe, base: Recipe) -> str | None:
    """Say so where a rung has another number of epochs than the one it builds on."""
    if recipe.epochs == base.epochs:
        return None
    return f"It trains for {recipe.epochs} epochs, {base.name} for {base.epochs}."


def conclude(site: Site, record: dict[str, Any]) -> None:
    """Choose the winner on validation, within the limits, and judge every rung.

    A study that was finished keeps its winner, whatever a later version would choose: the test
    set has been opened for it.
    """
    finished = read_finished(site, record)
    best = record["best"] if record["finished"] else choose_best(finished, site.plan.limits)
    if best is None:
        record |= {"best": None, "best_reason": "no rung was finished"}
        return
    record["best"] = best
    mean = "mean " if (site.run(best) / "seeds.json").exists() else ""
    record["best_reason"] = (
        f"highest {mean}validation accuracy among the rungs within every limit"
        if site.plan.limits.allow(finished[best])
        else f"highest {mean}validation accuracy; no rung is within every limit"
    )
    write_json(site.folder / "verdicts.json", judge_ladder(site.folder, record["rungs"], best))


def test_best(site: Site, record: dict[str, Any]) -> None:
    """Open the test set for the winner, unless this winner has been tested already.

    With `refit`, the model that is tested is the winner trained once more on training and
    validation images; the winner itself is scored beside it, in the same opening.
    """
    best, path, narrator = record["best"], site.folder / "test.json", site.narrator
    run = site.run(best)
    if site.plan.refit:
        narrator.say(f"{best} once more, on training and validation images together:")
        refit_finished(run, site.dataset, site.split, watchers_for=lambda _: narrator.watch_run())
        narrator.close()
    if recall_test(path, run) is not None:
        narrator.say(f"The test result of {best} is kept; the test set stays sealed.")
        return
    model, twin = load_final(run)
    result = evaluate_on_test(
        model,
        site.dataset,
        site.folder,
        name=best,
        command=site.plan.command,
        val=read_json(run / STATUS)["val"],
        twin=twin,
    )
    write_json(path, result)
    if result["openings"] > 1:
        narrator.say(
            f"Note: this is opening {result['openings']} of the test set in this study; a figure "
            "seen more than once is no longer untouched. The ledger says when and for what."
        )
