"""The final model: its layers, and its training in words for a section on methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smallvision.about.facts import ModelFacts
from smallvision.about.methods import find_sources, write_methods
from smallvision.errors import SettingError
from smallvision.recipes import Recipe
from smallvision.recipes.toml import parse_text
from smallvision.records.schema import NetworkRecord, TechniqueSource
from smallvision.reporting.view import LoneRunView, RunView, StudyView


@dataclass(frozen=True)
class ModelSection:
    """What the section shows; a run of an earlier version has no record of its layers."""

    sentences: tuple[str, ...]
    sources: tuple[TechniqueSource, ...]
    network: NetworkRecord | None


def gather(study: StudyView) -> ModelSection | None:
    """Collect what the section shows of a study's winner."""
    winner, test = study.winner, study.test
    if winner is None or winner.run.model is None:
        return None
    run = winner.run
    return write_section(
        ModelFacts(
            model=winner.run.model,
            network=run.network,
            status=run.finished,
            recipe=parse_if_known(run),
            split=study.split,
            folds=run.folds,
            ensemble=winner.ensemble,
            study=study.record,
            test=test if test and test.model == winner.name else None,
            openings=study.opened,
            is_refit=test.refit if test else study.record.refit,
        )
    )


def gather_lone_run(folder: LoneRunView) -> ModelSection | None:
    """Collect what the section shows of a lone run."""
    run, test = folder.run, folder.test
    if run.model is None:
        return None
    return write_section(
        ModelFacts(
            model=run.model,
            network=run.network,
            status=run.finished,
            recipe=parse_if_known(run),
            split=folder.split,
            folds=run.folds,
            ensemble=folder.ensemble,
            test=test,
            openings=test.openings if test else 0,
            is_refit=any(one.name == "refit" and one.finished for one in folder.runs[1:]),
        )
    )


def write_section(facts: ModelFacts) -> ModelSection:
    """The same words that `smallvision show` prints."""
    return ModelSection(write_methods(facts), find_sources(facts), facts.network)


def parse_if_known(run: RunView) -> Recipe | None:
    """The recipe of a run, or None where there is none that this version knows."""
    try:
        return parse_text((run.recipe or "").encode(), Path("recipe.toml")) if run.recipe else None
    except SettingError:
        return None
