"""The refit of a finished run of either kind: trained, or an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smallvision.ensembles.candidates import find_candidates, find_member, sum_training
from smallvision.ensembles.member_selection import join_members
from smallvision.errors import RecordError
from smallvision.recipes import read_run_recipe
from smallvision.recipes.builders import build_machine
from smallvision.records import store
from smallvision.records.files import make_folder, read_text, write_text
from smallvision.records.layout import ENSEMBLE, RECIPE, REFIT, STATUS, read_status
from smallvision.records.nofollow import exists
from smallvision.records.schema import EnsembleMember, EnsembleRecord
from smallvision.records.weights import check_manifest
from smallvision.runs.job import Job
from smallvision.runs.measure import measure_cost, rate_training
from smallvision.runs.refit import NOTE, refit_run
from smallvision.runs.run_data import load_run_data
from smallvision.runs.train import take_over_calibration


def refit_finished(run: Path, job: Job) -> Path:
    """Refit a finished run as `refit_run` does; of an ensemble, the runs of its members.

    Args:
        run: folder of a finished run or ensemble.
        job: on the run's data and split.

    Returns: the refit's folder.

    Raises:
        RecordError: the run is damaged, or the folder cannot be written.
        FailedRunError: the loss became NaN or infinite, or memory ran out.
    """
    refit = refit_ensemble if read_status(run).kind == "ensemble" else refit_run
    return refit(run, job)


def refit_ensemble(run: Path, job: Job) -> Path:
    """Refit the runs of an ensemble, and average their networks of the same epochs.

    The members are the snapshots of the epochs that were chosen on validation.
    """
    folder = run / REFIT
    if exists(folder / STATUS):
        check_manifest(folder / "model")
        return folder
    members = store.read(run / ENSEMBLE, EnsembleRecord).members
    check_inside(members, run)
    places = {
        source: refit_run(run / source, job)
        for source in dict.fromkeys(member.run for member in members)
    }
    recipe = read_run_recipe(run)
    machine = build_machine(recipe)
    offered = {source: find_candidates(place, machine) for source, place in places.items()}
    found = [find_member(offered[member.run], member.epoch) for member in members]
    best = max(range(len(members)), key=lambda i: members[i].accuracy)
    data = load_run_data(job.dataset, job.split, machine, with_val=True)
    model, known = take_over_calibration(join_members(found, found[best]), run)
    make_folder(folder)
    write_text(folder / RECIPE, read_text(run / RECIPE))
    model.save(folder / "model")
    cost, trained = measure_cost(model, data, folder), sum_training(places.values())
    status = known.change(
        kind="refit",
        compute=machine.settings,
        notes=(NOTE,),
        epochs_planned=trained.epochs_planned,
        epochs_done=trained.epochs_done,
        seconds=trained.seconds,
        search_seconds=trained.search_seconds,
        parameters=cost.parameters,
        size_bytes=cost.size_bytes,
        latency_seconds=cost.latency_seconds,
        train=rate_training(model, data, recipe.seed),
    )
    store.write(folder / STATUS, status)
    return folder


def check_inside(members: Sequence[EnsembleMember], run: Path) -> None:
    """Refuse to write into runs that a record names outside its folder.

    Raises:
        RecordError: a member's run is not inside the folder of the ensemble.
    """
    for member in members:
        path = Path(member.run)
        if path.is_absolute() or ".." in path.parts:
            raise RecordError(
                f"{run / ENSEMBLE} names the run {member.run}, which is outside its folder; a "
                "refit is written only into runs inside it"
            )
