"""The final model: the chosen recipe once more, on training and validation images together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.recipes import Recipe, read_recipe
from smallvision.recipes.build import build_machine
from smallvision.records.files import make_folder, read_json, write_json, write_text
from smallvision.records.folder import ENSEMBLE, REFIT, STATUS
from smallvision.records.weights import check_manifest
from smallvision.study.candidates import find_member
from smallvision.study.choice import join_members
from smallvision.study.material import gather_material
from smallvision.study.run import measure_refit, run_recipe
from smallvision.training import Watcher

NOTE = (
    "Trained on training and validation images together; what is said of validation is measured on "
    "its twin, trained on the training split alone."
)


def find_final(run: Path) -> tuple[Path, Path | None]:
    """The model to test of a finished run: its refit, beside its twin, or itself without one."""
    refit = run / REFIT
    done = (refit / STATUS).exists() and read_json(refit / STATUS)["status"] == "done"
    return (refit, run) if done else (run, None)


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
    recipe = read_recipe(run / "recipe.toml")
    folder = run / REFIT
    status = run_recipe(recipe, dataset, split, folder, watchers=watchers_for(recipe), twin=run)
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
    recipe = read_recipe(run / "recipe.toml")
    machine = build_machine(recipe)
    found = [find_member(places[member["run"]], member["epoch"], machine) for member in members]
    best = max(range(len(members)), key=lambda i: members[i]["accuracy"])
    material = gather_material(dataset, split, machine, pooled=True)
    joined = join_members(found, found[best])
    sources = [read_json(place / STATUS) for place in places.values()]
    make_folder(folder)
    write_text(folder / "recipe.toml", (run / "recipe.toml").read_text(encoding="utf-8"))
    write_json(
        folder / STATUS,
        {
            **known,
            **measure_refit(joined, material, folder, run, recipe.seed),
            "epochs_planned": sum(source["epochs_planned"] for source in sources),
            "epochs_done": sum(source["epochs_done"] for source in sources),
            "seconds": sum(source["seconds"] for source in sources),
            "machine": machine.record(),
            "notes": [NOTE],
        },
    )
    return folder
