"""The refit of a finished run of either kind: trained, or an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.ensembles.candidates import find_candidates, find_member, sum_training
from smallvision.ensembles.member_selection import join_members
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.recipes.builders import build_machine
from smallvision.records.files import make_folder, read_json, write_json, write_text
from smallvision.records.layout import ENSEMBLE, REFIT, STATUS
from smallvision.records.weights import check_manifest
from smallvision.runs.refit import NOTE, refit_run
from smallvision.runs.run_data import gather_material
from smallvision.runs.train import measure_refit
from smallvision.training import Watcher


def refit_finished(
    run: Path,
    dataset: DataSet,
    split: Split,
    *,
    watchers_for: Callable[[Recipe], Sequence[Watcher]] = lambda _recipe: (),
) -> Path:
    """Refit a finished run as `refit_run` does; of an ensemble, the runs of its members.

    An ensemble's runs are trained again, and its members are the snapshots of the same epochs.

    Args:
        run: folder of a finished run or ensemble, the twin.
        dataset, split: those of the run.
        watchers_for: called with a recipe before its training begins; gives its watchers.

    Returns: the refit's folder.

    Raises:
        RecordError: the run is damaged, or the folder cannot be written.
        FailedRunError: the loss is no longer a number, or memory ran out.
    """
    refit = refit_ensemble if read_json(run / STATUS).get("kind") == "ensemble" else refit_run
    return refit(run, dataset, split, watchers_for=watchers_for)


def refit_ensemble(
    run: Path,
    dataset: DataSet,
    split: Split,
    *,
    watchers_for: Callable[[Recipe], Sequence[Watcher]] = lambda _recipe: (),
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
