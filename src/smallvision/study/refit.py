"""The final model: the chosen recipe once more, on training and validation images together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.predict import SavedModel, fingerprint_model, load_model
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.recipes.build import build_machine
from smallvision.records.files import make_folder, read_json, write_json, write_text
from smallvision.records.folder import ENSEMBLE, REFIT, STATUS, is_finished
from smallvision.records.weights import check_manifest
from smallvision.study.candidates import find_candidates, find_member, sum_training
from smallvision.study.choice import join_members
from smallvision.study.material import gather_material
from smallvision.study.run import measure_refit, own_teacher, run_recipe
from smallvision.training import Watcher

NOTE = (
    "Trained on training and validation images together; what is said of validation is measured on "
    "its twin, trained on the training split alone."
)


def find_final(run: Path) -> tuple[Path, Path | None]:
    """The model to test of a finished run: its refit, beside its twin, or itself without one."""
    refit = run / REFIT
    return (refit, run) if is_finished(refit) else (run, None)


def load_final(run: Path) -> tuple[SavedModel, SavedModel | None]:
    """The model to test of a finished run, and its twin if it is a refit.

    Raises:
        RecordError: one of them is damaged.
    """
    final, twin = find_final(run)
    machine = build_machine(read_run_recipe(run))
    return load_model(final, machine), load_model(twin, machine) if twin else None


def recall_test(path: Path, run: Path) -> dict[str, Any] | None:
    """The test result at a path, if it is of the very weights that a run would be tested with."""
    record = read_json(path) if path.exists() else {}
    return record if record.get("weights") == fingerprint_model(find_final(run)[0]) else None


def refit_run(
    run: Path,
    dataset: DataSet,
    split: Split,
    *,
    watchers_for: Callable[[Recipe], Sequence[Watcher]] = lambda _recipe: (),
) -> Path:
    """Train a finished run's recipe on training and validation images, into `RUN/refit/`.

    Nothing is chosen any more: the schedule is the same, and the weights are those at its end,
    since no image is left to tell a better epoch by. An ensemble's runs are trained again, and
    its members are the snapshots of the same epochs. A refit that is finished is left as it is.

    Args:
        run: folder of a finished run or ensemble, the twin.
        dataset, split: those of the run.
        watchers_for: called with a recipe before its training begins; gives its watchers.

    Returns: the refit's folder.

    Raises:
        RecordError: the run is damaged, or the folder cannot be written.
        FailedRunError: the loss is no longer a number, or memory ran out.
    """
    if read_json(run / STATUS).get("kind") == "ensemble":
        return refit_ensemble(run, dataset, split, watchers_for)
    recipe = read_run_recipe(run)
    folder = run / REFIT
    status = run_recipe(
        recipe,
        dataset,
        split,
        folder,
        watchers=watchers_for(recipe),
        twin=run,
        teacher=own_teacher(run),
    )
    if NOTE not in status["notes"]:
        write_json(folder / STATUS, {**status, "notes": [*status["notes"], NOTE]})
    return folder


def refit_ensemble(
    run: Path,
    dataset: DataSet,
    split: Split,
    watchers_for: Callable[[Recipe], Sequence[Watcher]],
) -> Path:
    """Refit the runs of an ensemble, and average their networks of the same epochs."""
    folder = run / REFIT
    if (folder / STATUS).exists():
        check_manifest(folder / "model")
        return folder
    known, members = read_json(run / STATUS), read_json(run / ENSEMBLE)["members"]
    places = {
        source: refit_run(run / source, dataset, split, watchers_for=watchers_for)
        for source in dict.fromkeys(member["run"] for member in members)
    }
    recipe = read_run_recipe(run)
    machine = build_machine(recipe)
    offered = {source: find_candidates(place, machine) for source, place in places.items()}
    found = [find_member(offered[member["run"]], member["epoch"]) for member in members]
    best = max(range(len(members)), key=lambda i: members[i]["accuracy"])
    material = gather_material(dataset, split, machine, pooled=True)
    joined = join_members(found, found[best])
    make_folder(folder)
    write_text(folder / "recipe.toml", (run / "recipe.toml").read_text(encoding="utf-8"))
    write_json(
        folder / STATUS,
        {
            **known,
            **measure_refit(joined, material, folder, run, recipe.seed),
            **sum_training(places.values()),
            "machine": machine.record(),
            "notes": [NOTE],
        },
    )
    return folder
