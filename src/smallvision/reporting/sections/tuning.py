"""A search for better settings: its trials, what the best one changed, which settings mattered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smallvision.errors import RecordError
from smallvision.format import format_duration, format_setting
from smallvision.records.nesting import load_toml
from smallvision.records.schema import TrialRecord, TuningRecord
from smallvision.reporting.charts.trials import TrialPlots, describe_end, draw_trials
from smallvision.reporting.sections.ladder import describe_rung
from smallvision.reporting.view import RungView, RunView, StudyView


@dataclass(frozen=True)
class SettingChange:
    """One setting of the best trial, beside the recipe that the search started from."""

    key: str
    before: str
    after: str


@dataclass(frozen=True)
class TuningSection:
    """What the section shows; the trials come with how they ended."""

    record: TuningRecord
    trials_sentence: str
    result: str
    trials: tuple[tuple[TrialRecord, str], ...]
    plots: TrialPlots
    changes: tuple[SettingChange, ...]
    importance: tuple[tuple[str, float], ...]


def gather(study: StudyView) -> TuningSection | None:
    """Collect what the section shows of the first search; None where there is none."""
    for rung in study.climbed:
        if rung.tuning is not None:
            return gather_rung(study, rung, rung.tuning)
    return None


def gather_rung(study: StudyView, rung: RungView, record: TuningRecord) -> TuningSection:
    """Collect what the section shows of a search."""
    base = study.find_rung(record.recipe) or study.find_rung(rung.record.builds_on)
    rerun = record.rerun.sentence if record.rerun and not rung.is_repeat else ""
    return gather_record(record, base.run if base else None, rerun or describe_rung(rung))


def gather_record(record: TuningRecord, base: RunView | None, result: str) -> TuningSection:
    """Collect what the section shows of a search.

    Args:
        record: of the search.
        base: a run of the recipe that it started from, as far as one is known.
        result: what came of it, in words.
    """
    return TuningSection(
        record=record,
        trials_sentence=count_trials(record),
        result=result,
        trials=tuple((trial, describe_end(trial)) for trial in record.trials),
        plots=draw_trials(record),
        changes=list_changes(record, base),
        importance=tuple(sorted(record.importance.items(), key=lambda entry: -entry[1])),
    )


def count_trials(record: TuningRecord) -> str:
    """Say how many trials there were and how they ended."""
    total, pruned = len(record.trials), record.count("pruned")
    of = f" of the {record.trials_asked} asked for" if record.trials_asked not in (0, total) else ""
    drawn = "at random"
    if total > record.startup_trials:
        drawn += f", after the first {record.startup_trials} trials by {record.sampler}"
    budget = record.budget_seconds
    limit = f" The search had {format_duration(budget)}." if budget is not None else ""
    return (
        f"{total} trials{of}, each of up to {record.epochs} epochs: the recipe's own settings, "
        f"then others drawn {drawn}. {record.count('complete')} ran to the end, "
        f"{pruned} {'was' if pruned == 1 else 'were'} stopped early "
        f"by {record.pruner}, as being among the worst after as many epochs, "
        f"{record.count('failed')} failed.{limit}"
    )


def list_changes(record: TuningRecord, base: RunView | None) -> tuple[SettingChange, ...]:
    """Set the settings of the best trial beside those of the recipe it started from.

    Raises:
        RecordError: the recipe is no TOML.
    """
    if record.best is None:
        return ()
    recipe = parse_recipe(base) if base else {}
    return tuple(
        SettingChange(key, format_setting(find_setting(recipe, key)), format_setting(value))
        for key, value in record.best.values.items()
    )


def parse_recipe(run: RunView) -> dict[str, Any]:
    """Read the settings of a run's recipe.

    Raises:
        RecordError: the recipe is no TOML.
    """
    try:
        return load_toml(run.recipe or "")
    except ValueError as error:
        raise RecordError(f"recipe.toml of {run.name} is damaged: {error}; restore it") from error


def find_setting(recipe: object, key: str) -> object:
    """Find a dotted key; in a list of named entries a part may be an entry's name."""
    for part in key.split("."):
        if isinstance(recipe, list):
            entries = [entry for entry in recipe if isinstance(entry, Mapping)]
            recipe = next((entry for entry in entries if entry.get("name") == part), None)
        else:
            recipe = recipe.get(part) if isinstance(recipe, Mapping) else None
    return recipe
