"""What choosing the best did to the validation accuracy of the one that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smallvision.comparison.groups import is_adopted
from smallvision.comparison.verdicts import read_seeds
from smallvision.errors import RecordError
from smallvision.format import format_percent, format_points
from smallvision.records.schema import Rate, WinnerChoice
from smallvision.runs.finished_run import find_validated
from smallvision.stats.bootstrap import bootstrap_choice


def measure_choice(best: Path, runs: Sequence[Path]) -> WinnerChoice:
    """Estimate what the choice of epoch and rung did to the winner's validation accuracy.

    The two estimates are added: the first is that of the winner's own epochs.

    Args:
        best: folder of the winner.
        runs: folders of all finished runs that could have won, the winner among them.

    Raises:
        RecordError: the runs were not validated on the same images.
    """
    status = find_validated(best)[1]
    # A rung that took over the run of another was no further candidate.
    runs = [run for run in runs if not is_adopted(find_validated(run)[1])]
    found = [read_seeds(run) for run in runs]
    if any(not np.array_equal(indices, found[0][0]) for indices, _ in found):
        raise RecordError(f"the rungs beside {best} were validated on different images")
    course = status.course
    choice = WinnerChoice(
        epochs=status.epochs_done if course else 0,
        rungs=len(runs),
        from_epochs=course.choice_lift if course else 0.0,
        from_rungs=bootstrap_choice(np.stack([right.mean(axis=0) for _, right in found])),
        sentence="",
    )
    return choice.change(sentence=describe_choice(choice, status.val))


def describe_choice(choice: WinnerChoice, val: Rate) -> str:
    """Say in a sentence what was chosen on the images of a rate, and what that did to it."""
    n = val.n
    parts = []
    if choice.epochs > 1:
        parts.append(
            f"among {choice.epochs} epochs (about "
            f"{format_points(choice.from_epochs, n, signed=False)}, by simulation)"
        )
    if choice.rungs > 1:
        parts.append(
            f"among {choice.rungs} rungs (about "
            f"{format_points(choice.from_rungs, n, signed=False)}, by a bootstrap over the images)"
        )
    if not parts:
        return "Nothing was chosen on these images."
    lift = choice.from_epochs + choice.from_rungs
    effect = (
        f"on new images expect about {format_percent(val.accuracy - lift, n)} instead of "
        f"{format_percent(val.accuracy, n)}"
        if float(format_points(lift, n, signed=False).split()[0])
        else "which raised the accuracy on them by too little to be seen"
    )
    return f"These {n:,} images also chose {' and '.join(parts)}: {effect}."
