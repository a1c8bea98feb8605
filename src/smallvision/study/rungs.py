"""How a rung is climbed: trained, tuned first, or made an ensemble of one run's snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.ensembles.build import build_ensemble
from smallvision.errors import RecordError
from smallvision.recipes import Rung, follow_seed
from smallvision.recipes.toml import sum_recipe
from smallvision.records.files import make_folder, read_json, write_json
from smallvision.records.layout import SNAPSHOTS, STATUS, is_finished, run_folder
from smallvision.runs.progress import Narrator
from smallvision.runs.repeats import repeat_run
from smallvision.runs.train import note_recipe, run_recipe
from smallvision.study.ladder import Ladder
from smallvision.study.plan import StudyPlan
from smallvision.tuning.tune import best_recipe, bound_epochs, tune_recipe

FLATTERED = "The settings of {} were chosen on these validation images, which flatters it."
MEMBERS = 3  # at most, as in the study of CIFAR-10


@dataclass(frozen=True)
class Site:
    """What the work on every rung needs.

    Attributes:
        dataset, split: on which images.
        folder: of the study.
        plan, ladder: what was asked for, and what that means for this data.
        narrator: told how it goes.
    """

    dataset: DataSet
    split: Split
    folder: Path
    plan: StudyPlan
    ladder: Ladder
    narrator: Narrator

    def run(self, name: str) -> Path:
        """The run folder of a rung."""
        return run_folder(self.folder, name)


def train_rung(rung: Rung, site: Site) -> dict[str, Any]:
    """Train a rung's recipe, as often as was asked for."""
    folder, narrator = site.run(rung.name), site.narrator
    watchers = narrator.watch_run()
    status = run_recipe(rung.recipe, site.dataset, site.split, folder, watchers=watchers)
    if site.plan.seeds > 1 and rung.slot in site.ladder.repeated:
        narrator.close()
        repeat_run(
            rung.recipe,
            site.dataset,
            site.split,
            folder,
            site.plan.seeds,
            watchers_for=lambda _recipe: narrator.watch_run(),
        )
    return status


def tune_rung(rung: Rung, site: Site) -> dict[str, Any]:
    """Search around a rung's recipe, then train the winner with a seed the search has not seen.

    The accuracy of the search's best trial is the luckiest of many; the fresh run is not. Where no
    trial beats the settings there are, there is nothing to train.
    """
    preset = site.ladder.preset
    untuned = rung.recipe.model_copy(update={"name": rung.base})
    search = tune_recipe(
        untuned,
        site.dataset,
        site.split,
        make_folder(site.run(rung.name)) / "tune",
        trials=preset.trials,
        epochs=bound_epochs(untuned, round(untuned.epochs * preset.trial_share)),
        narrator=site.narrator,
    )
    winner = best_recipe(untuned, search)
    base = site.run(rung.base)
    if winner == untuned and is_finished(base):
        note = f"No trial beat the settings of {rung.base}: this is its run, not another."
        status = adopt_run(base, site.run(rung.name), rung, note)
    else:
        fresh = follow_seed(winner, 1).model_copy(update={"name": rung.name})
        status = train_rung(rung.with_recipe(fresh), site)
        status = {**status, "caveats": [FLATTERED.format(rung.name)]}
    return {**status, "search_seconds": sum(trial["seconds"] for trial in search["trials"])}


def adopt_run(source: Path, folder: Path, rung: Rung, note: str) -> dict[str, Any]:
    """Make a finished run that of a rung which changes nothing, at no cost; returns its status."""

    def leave(place: str, _: list[str]) -> set[str]:
        return {"checkpoints", "refit", *([STATUS] if Path(place) == source else ())}

    try:
        shutil.copytree(source, folder, ignore=leave, dirs_exist_ok=True)
    except OSError as error:  # of which copytree makes a list
        raise RecordError(
            f"{source} cannot be copied to {folder} ({error}); make room and resume"
        ) from error
    note_recipe(folder, rung.recipe)
    status = read_json(source / STATUS)
    status |= {"name": rung.name, "seconds": 0.0, "notes": [*status["notes"], note]}
    status |= sum_recipe(rung.recipe)
    write_json(folder / STATUS, status)
    return status


def ensemble_rung(rung: Rung, site: Site) -> dict[str, Any]:
    """Train one run with warm restarts and average the models at its restarts.

    Its first cycles are those of the rung it builds on: where that one was trained here, it goes on
    from its end.
    """
    folder = site.run(rung.name)
    if is_finished(folder):
        return read_json(folder / STATUS)
    source = folder / SNAPSHOTS
    recipe = rung.recipe.model_copy(update={"name": "snapshots"})
    run_recipe(
        recipe,
        site.dataset,
        site.split,
        source,
        watchers=site.narrator.watch_run(),
        beginning=site.run(rung.base),
    )
    return build_ensemble(
        [source], site.dataset, site.split, folder, name=rung.name, members=MEMBERS
    )


WORK: dict[str, Callable[[Rung, Site], dict[str, Any]]] = {
    "train": train_rung,
    "tune": tune_rung,
    "ensemble": ensemble_rung,
}
