"""How to get the same result again: the command, versions, hardware and the recipe."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.format import format_moment
from smallvision.reporting.sections.phrases import describe_budget, describe_environment
from smallvision.reporting.view import LoneRunView, RunView, StudyView


@dataclass(frozen=True)
class ReproduceSection:
    """What the section shows of a study or a lone run; `missing` says why there is no recipe."""

    command: str | None
    is_timed: bool
    facts: tuple[tuple[str, str], ...]
    knows_environment: bool
    run: RunView | None
    missing: str


def gather(study: StudyView) -> ReproduceSection:
    """Collect what the section shows of a study."""
    record, winner = study.record, study.winner
    facts = (
        ("seed", str(record.seed)),
        ("time", describe_budget(record)),
        ("started", format_moment(record.created)),
        ("finished", format_moment(record.finished) if record.finished else "not finished"),
        *describe_environment(study.environment),
    )
    return ReproduceSection(
        command=record.command,
        is_timed=record.budget is not None and record.budget.seconds is not None,
        facts=facts,
        knows_environment=study.environment is not None,
        run=winner.run if winner and winner.run.recipe else None,
        missing="The winner's run folder holds no recipe."
        if winner
        else "There is no winner yet, so there is no recipe to show.",
    )


def gather_lone_run(folder: LoneRunView) -> ReproduceSection:
    """Collect what the section shows of a lone run."""
    return ReproduceSection(
        command=None,
        is_timed=False,
        facts=describe_environment(folder.environment),
        knows_environment=folder.environment is not None,
        run=folder.run if folder.run.recipe else None,
        missing="The run folder holds no recipe.",
    )
