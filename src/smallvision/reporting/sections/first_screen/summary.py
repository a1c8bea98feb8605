"""The first screen of a study: what won, how sure that is, and what to do with it."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.reporting.sections import ladder
from smallvision.reporting.sections.first_screen.caveats import list_caveats
from smallvision.reporting.sections.first_screen.facts import Fact, list_facts
from smallvision.reporting.sections.first_screen.gains import sum_up_gains
from smallvision.reporting.sections.first_screen.headline import (
    Headline,
    list_alerts,
    write_headline,
)
from smallvision.reporting.sections.first_screen.prose import write_prose
from smallvision.reporting.sections.first_screen.usage import Usage, describe_usage
from smallvision.reporting.sections.phrases import describe_budget
from smallvision.reporting.view import Picture, StudyView

SHEET_ROWS = 6  # of the random images, beside the headline


@dataclass(frozen=True)
class SummarySection:
    """What the first screen shows."""

    study: StudyView
    sheet: Picture | None
    sheet_height: int
    headline: Headline
    alerts: tuple[str, ...]
    facts: tuple[Fact, ...]
    gains: tuple[tuple[str, str], ...]
    ladder: ladder.LadderSection
    budget: str
    prose: tuple[str, ...]
    caveats: tuple[str, ...]
    usage: Usage | None


def gather(study: StudyView) -> SummarySection:
    """Collect what the first screen shows."""
    found = study.exploration
    sheet = found.pictures[found.record.pictures.random] if found else None
    rows = SHEET_ROWS * (study.record.data.shape[1] + 1) - 1
    return SummarySection(
        study=study,
        sheet=sheet,
        sheet_height=min(sheet.height, rows) if sheet else 0,
        headline=write_headline(study),
        alerts=list_alerts(study),
        facts=list_facts(study),
        gains=sum_up_gains(study),
        ladder=ladder.gather(study),
        budget=describe_budget(study.record),
        prose=write_prose(study),
        caveats=list_caveats(study),
        usage=describe_usage(study.record.name)
        if study.winner and study.winner.run.finished
        else None,
    )
