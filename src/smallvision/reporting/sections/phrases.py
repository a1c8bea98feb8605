"""Phrases that more than one section uses."""

from __future__ import annotations

from smallvision.about.methods import describe_looks
from smallvision.format import (
    METRIC_WORDS,
    format_count,
    format_duration,
    format_fraction,
    format_points,
    format_size,
    join_words,
    name_seeds,
    shorten_hash,
)
from smallvision.records.schema import (
    Environment,
    FoldSummary,
    Goal,
    SeedSummary,
    StudyRecord,
    WinnerChoice,
)
from smallvision.records.schema.base import Shape
from smallvision.records.schema.measures import METRIC_OF_GOAL
from smallvision.reporting.view import RunView, StudyView


def describe_shape(shape: Shape) -> str:
    """The size of one image, `32 × 32 pixels, colour`."""
    channels, height, width = shape
    return f"{width} × {height} pixels, {'grey' if channels == 1 else 'colour'}"


def describe_budget(record: StudyRecord) -> str:
    """The time that a study was given, `budget 1 h`, or the preset where nothing was planned."""
    if record.budget is None:
        return f"preset {record.preset}"
    seconds = record.budget.seconds
    return "no time limit" if seconds is None else f"budget {format_duration(seconds)}"


def describe_use(study: StudyView) -> str:
    """How many of the training images were used, and for what; empty where that is unknown."""
    split, folds, given = study.split, study.record.folds, study.record.data.train_n
    if split is None:
        return ""
    used = split.train_n + (0 if split.declared_val else split.val_n)
    words = f"{format_count(used)} training images used, " if used < given else ""
    if folds > 1:
        return f"{words}cross-validated in {folds} folds"
    more = "others " if split.declared_val else ""
    return (
        f"{words}{format_count(split.train_n)} to fit on, {format_count(split.val_n)} {more}to "
        "validate on"
    )


def describe_seeds(seeds: SeedSummary) -> str:
    """How an accuracy varies with the seed, `91.0 ± 0.3 % over 3 seeds (seed 4 failed)`."""
    mean, std = (format_fraction(value, seeds.n) for value in (seeds.mean, seeds.std))
    spread = "" if seeds.std is None else f" ± {std}"
    count = "1 seed" if len(seeds.seeds) == 1 else f"{len(seeds.seeds)} seeds"
    failed = f" ({name_seeds(seeds.failed)} failed)" if seeds.failed else ""
    return f"{mean}{spread} % over {count}{failed}"


def describe_folds(folds: FoldSummary) -> str:
    """How an accuracy varies over folds, `90.0, 92.5 and 87.5 % (fold 4 failed)`."""
    shares = zip(folds.accuracies, folds.counts, strict=True)
    each = join_words([format_fraction(accuracy, n) for accuracy, n in shares])
    failed = join_words([str(number) for number in folds.failed])
    lost = f" ({'fold' if len(folds.failed) == 1 else 'folds'} {failed} failed)" if failed else ""
    return f"{each} %{lost}"


def describe_environment(environment: Environment | None) -> tuple[tuple[str, str], ...]:
    """Versions and hardware as rows of name and text; what is unknown is left out."""
    if environment is None:
        return ()
    git = environment.git
    changed = ", with changed files" if git and git.changed else ""
    rows = {
        "python": environment.python,
        **environment.versions,
        "platform": environment.platform,
        "processor": environment.processor,
        "generation": environment.generation,
        "instructions": environment.instructions,
        "memory": format_size(environment.memory_bytes) if environment.memory_bytes else None,
        "gpu": environment.gpu,
        "git commit": f"{shorten_hash(git.commit)}{changed}" if git else None,
    }
    return tuple((name, text) for name, text in rows.items() if text)


def tell_looks(run: RunView) -> str:
    """With what other looks at an image a finished model answers; empty where it is one look."""
    return describe_looks(run.model.tta) if run.model else ""


def name_goal(goal: Goal) -> str:
    """The validation figure that a study maximises, in words."""
    return METRIC_WORDS[METRIC_OF_GOAL[goal.maximise]]


def tell_lift(choice: WinnerChoice, n: int) -> str:
    """By how much choosing raised an accuracy on `n` images; empty where that rounds to nothing."""
    points = format_points(choice.from_epochs + choice.from_rungs, n, signed=False)
    return points if float(points.split()[0]) else ""
