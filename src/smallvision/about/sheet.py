"""All that is known of a finished model, read from its folder and its records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smallvision.about.facts import ModelFacts, describe_compute
from smallvision.about.methods import find_sources, write_methods
from smallvision.compute.machine import choose_machine
from smallvision.errors import SettingError
from smallvision.predict import SavedModel, load_model
from smallvision.predict.layers import describe_network
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.records import store
from smallvision.records.layout import (
    ENSEMBLE,
    FOLDS_RECORD,
    SPLIT,
    STATUS,
    STUDY,
    TEST,
    find_study,
)
from smallvision.records.ledger import read_openings
from smallvision.records.model_folders import (
    find_final,
    find_records,
    find_winner,
    list_pretrained,
)
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    EnsembleRecord,
    FinishedRun,
    FoldSummary,
    LatencyFigure,
    ModelRecord,
    ModelSheet,
    SplitRecord,
    StudyRecord,
    TestFigure,
    TestRecord,
)
from smallvision.runs.finished_run import find_finished
from smallvision.runs.results import Run

PATTERNS = 20  # random images that the latency is measured on
OURS = "MIT, as this package"


@dataclass(frozen=True, eq=False)
class FoundModel:
    """A model with the records of the run that made it.

    Attributes:
        model: the model.
        facts: what its records say.
        final: the status of the very run that it comes from; None without a run.
        licence: its licence, where that is said.
    """

    model: SavedModel
    facts: ModelFacts
    final: FinishedRun | None = None
    licence: str | None = None


def show(model: Run | str | Path) -> ModelSheet:
    """Tell all that is known of a finished model: its layers, figures and training in words.

    Args:
        model: a finished run, a study, whose winner is taken, the folder of a saved model, or the
            name of one that comes with the package, such as `cifar10`. Of a run that was trained
            once more with its validation images, it is that model.

    Raises:
        RecordError: there is no finished model, or a record is damaged.

    >>> import smallvision as sv
    >>> sheet = sv.show("cifar10")  # the included model
    >>> sheet.methods[0][:60]
    'The final model is a speednet of 3 groups of 2 convolutions '
    """
    named = model.folder if isinstance(model, Run) else Path(model)
    folder = find_winner(named)
    found = find_trained(folder) if exists(folder / STATUS) else find_saved(folder)
    return write_sheet(str(named), found)


def find_trained(folder: Path) -> FoundModel:
    """The model of a finished run, with what its run and its study say of it."""
    run, status = find_finished(folder)
    if status.kind == "refit":
        run, status = find_finished(run.parent)
    final, _ = find_final(run)
    model = load_model(final, choose_machine(precision="fp32"))
    place = find_study(run)
    study = None if place is None else store.read(place / STUDY, StudyRecord)
    is_winner = study is not None and study.best == run.name
    places = [run, *([place] if place is not None and is_winner else [])]
    facts = gather_facts(run, status, model, places, study if is_winner else None)
    return FoundModel(model, facts, find_finished(final)[1])


def find_saved(folder: Path) -> FoundModel:
    """A saved model; one that comes with the package has records of its run too."""
    model = load_model(folder)
    if model.folder not in list_pretrained():
        return FoundModel(
            model,
            ModelFacts(
                model=read_about(model), network=describe_network(model.network, model.shape)
            ),
        )
    records = find_records(model.folder)
    _, status = find_finished(records)
    facts = gather_facts(records, status, model, [records], None)
    return FoundModel(model, facts, status, OURS)


def gather_facts(
    run: Path,
    status: FinishedRun,
    model: SavedModel,
    tested: list[Path],
    study: StudyRecord | None,
) -> ModelFacts:
    """What the records of a run say of its final model.

    Args:
        run: its folder.
        status: its status.
        model: the final model.
        tested: where its test may be recorded.
        study: that chose it.
    """
    tests = [(place, store.read_if_there(place / TEST, TestRecord)) for place in tested]
    ours = [(at, test) for at, test in tests if test and test.weights == model.fingerprint]
    place, test = ours[-1] if ours else (run, None)
    return ModelFacts(
        model=read_about(model),
        network=describe_network(model.network, model.shape),
        status=status,
        recipe=read_recipe_if_known(run),
        split=store.read_if_there(run / SPLIT, SplitRecord),
        folds=store.read_if_there(run / FOLDS_RECORD, FoldSummary),
        ensemble=store.read_if_there(run / ENSEMBLE, EnsembleRecord),
        study=study,
        test=test,
        openings=max(len(read_openings(place)), test.openings) if test else 0,
        is_refit=find_final(run)[1] is not None,
    )


def read_about(model: SavedModel) -> ModelRecord:
    """The record of a model that was read from a folder."""
    assert model.folder is not None, "it was loaded"
    return store.read(model.folder / "model.json", ModelRecord)


def read_recipe_if_known(run: Path) -> Recipe | None:
    """The recipe of a run, or None where another version wrote what this one does not know."""
    try:
        return read_run_recipe(run)
    except SettingError:
        return None


def write_sheet(named: str, found: FoundModel) -> ModelSheet:
    """Put all that is known of a model into one record."""
    model, facts, about = found.model, found.facts, found.facts.model
    assert model.folder is not None, "it was loaded"
    assert facts.network is not None, "it was traced"
    final = found.final
    name = facts.status.name if facts.status else model.folder.resolve().name
    return ModelSheet(
        model=named,
        kind=final.kind if final else "saved",
        name=name,
        fingerprint=model.fingerprint,
        network=facts.network,
        size_bytes=(model.folder / "model.safetensors").stat().st_size,
        latency=tell_latency(model, final),
        shape=about.shape,
        fit=about.fit,
        class_names=about.class_names,
        mean=about.mean,
        std=about.std,
        temperature=about.temperature,
        tta=about.tta,
        unlike=about.unlike,
        sets=about.sets,
        data=facts.images,
        train=final.train if final else None,
        val=facts.val,
        test=tell_test(facts),
        licence=found.licence,
        methods=write_methods(facts),
        sources=find_sources(facts),
    )


def tell_latency(model: SavedModel, final: FinishedRun | None) -> LatencyFigure:
    """The time for an image: the run's own, or measured here where there is no run."""
    if final is not None:
        return LatencyFigure(
            seconds=final.latency_seconds,
            measured=False,
            computed_on=describe_compute(final.compute),
        )
    shape = (PATTERNS, *model.shape)
    patterns = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return LatencyFigure(
        seconds=model.measure_latency(patterns),
        measured=True,
        computed_on=describe_compute(model.machine.settings),
    )


def tell_test(facts: ModelFacts) -> TestFigure | None:
    """What its test images say, where they were opened for these weights."""
    test = facts.test
    if test is None:
        return None
    return test.extend(TestFigure, openings=facts.openings)
