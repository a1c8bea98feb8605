"""What the rungs gained, each against the one it was compared with."""

from __future__ import annotations

from collections.abc import Iterable

from smallvision.format import format_points, join_words
from smallvision.records.schema import Verdict
from smallvision.reporting.view import StudyView

SINGLE_RUNS = (
    "Rungs that were trained once are compared network by network; other seeds may give another "
    "answer."
)
BUDGET = (
    "“At this budget” means that the accuracy of one of the two was still rising, or its training "
    "too brief to level off: the verdict is about networks trained for so long, and more epochs "
    "may give another."
)


def sum_up_gains(study: StudyView) -> tuple[tuple[str, str], ...]:
    """Sum up the verdicts of all rungs, each against the one it was compared with.

    A rung that only repeats a recipe with another seed changes nothing that could matter.

    Returns: a label and its text for each kind of verdict that there is.
    """
    steps = [rung.step for rung in study.climbed if rung.step is not None and not rung.is_repeat]
    told_apart = [step for step in steps if step.verdict != "cannot tell apart"]
    even: dict[str, list[str]] = {}
    for step in steps:
        if step.verdict == "cannot tell apart":
            even.setdefault(step.against, []).append(step.rung)
    failed = [rung.name for rung in study.climbed if rung.record.status == "failed"]
    sure = SINGLE_RUNS if any(step.is_of_single_runs for step in told_apart) else ""
    budget = BUDGET if any(step.is_at_budget for step in told_apart) else ""
    gains = {
        **list_told_apart(told_apart, "better", "More accurate"),
        **list_told_apart(told_apart, "worse", "Less accurate"),
        "Cannot be told apart": "; ".join(
            f"{join_words(names)} from {against}" for against, names in even.items()
        ),
        "Failed": join_words(failed),
        "How sure": " ".join(filter(None, [sure, budget])),
    }
    return tuple((label, text) for label, text in gains.items() if text)


def list_told_apart(steps: Iterable[Verdict], word: str, label: str) -> dict[str, str]:
    """The rungs of one verdict under their label, those apart that more epochs might change."""
    found = [step for step in steps if step.verdict == word]
    return {
        f"{label}{' at this budget' if at_budget else ''}": ", ".join(
            say_difference(step) for step in found if step.is_at_budget == at_budget
        )
        for at_budget in (False, True)
    }


def say_difference(step: Verdict) -> str:
    """A rung, and by how much it differs from the one it is compared with."""
    return f"{step.rung} ({format_points(step.difference, step.n)} against {step.against})"
