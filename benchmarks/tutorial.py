"""What the kept study of CIFAR-10 says, in the blocks of docs/TUTORIAL.md.

The sentences are those of the records, so that the tutorial tells what was measured, whatever a
later study measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from benchmarks.keep import describe_test
from benchmarks.records import RESULTS
from smallvision.format import format_percent
from smallvision.records import store
from smallvision.records.layout import STUDY, TEST, VERDICTS, run_folder
from smallvision.records.schema import (
    EnsembleRecord,
    ErrorAnalysisRecord,
    ExplorationRecord,
    LadderVerdicts,
    StudyRecord,
    TestRecord,
)
from smallvision.runs.finished_run import find_judged

FOLDER = RESULTS / "cifar10-laptop"


def tell_data() -> Iterator[str]:
    """What the look at the training images implies."""
    found = store.read(FOLDER / "exploration" / "exploration.json", ExplorationRecord)
    yield from (f"- {sentence}" for sentence in found.implications)


def tell_rungs(*slots: str) -> Iterator[str]:
    """How rungs of these slots fared against what they build on, and how they fit.

    Args:
        slots: their names, also those they have on other bases.
    """
    study = store.read(FOLDER / STUDY, StudyRecord)
    verdicts = {step.rung: step for step in store.read(FOLDER / VERDICTS, LadderVerdicts).steps}
    found = [rung.name for rung in study.rungs if rung.is_done and rung.name in slots]
    for name in found:
        status = find_judged(run_folder(FOLDER, name))
        accuracy = format_percent(status.val.accuracy, status.val.n)
        parts = [f"`{name}`: {accuracy} on validation images."]
        if name in verdicts:
            parts.append(verdicts[name].sentence)
        if status.course is not None:
            parts.append(status.course.sentence)
        yield f"- {' '.join(parts)}"
    if not found:
        yield "- None of these rungs was trained in this study: its hour did not suffice."


def tell_ensemble() -> Iterator[str]:
    """What the members of the ensemble add, and what they cost."""
    yield from tell_rungs("snapshot-ensemble")
    path = run_folder(FOLDER, "snapshot-ensemble") / "ensemble.json"
    found = store.read_if_there(path, EnsembleRecord)
    if found is not None:
        yield f"- {found.against_single.sentence}"
        if found.averaged_weights is not None:
            yield f"- {found.averaged_weights.sentence}"
        yield f"- An image takes {found.cost.latency_ratio:.1f} times as long."


def tell_choice() -> Iterator[str]:
    """Which rung won, why, and what the choice did."""
    study = store.read(FOLDER / STUDY, StudyRecord)
    choice = store.read(FOLDER / VERDICTS, LadderVerdicts).winner_choice
    yield f"- Winner: `{study.best}`, {study.best_reason}."
    if choice is not None:
        yield f"- {choice.sentence}"


def tell_test() -> Iterator[str]:
    """The test result and what stands beside it."""
    test = store.read(FOLDER / TEST, TestRecord)
    yield f"- `{test.model}`: {describe_test(test)}."
    if test.near_duplicates is not None:
        yield f"- {test.near_duplicates.sentence}"
    if test.calibration is not None:
        before, after = test.calibration.before.ece, test.calibration.after.ece
        yield f"- Calibration error: {before:.3f} before, {after:.3f} after one temperature."
    worst = sorted(test.per_class, key=lambda one: one.f1)[:2]
    yield "- The most difficult classes: " + " and ".join(
        f"{one.name} (F1 {one.f1:.3f})" for one in worst
    )


def tell_errors() -> Iterator[str]:
    """What the winner gets wrong on validation images."""
    study = store.read(FOLDER / STUDY, StudyRecord)
    assert study.best is not None, "a kept study is finished"
    path = run_folder(FOLDER, study.best) / "errors" / "errors.json"
    found = store.read(path, ErrorAnalysisRecord)
    pair = found.pairs[0]
    true, predicted = found.class_names[pair.true], found.class_names[pair.predicted]
    yield (
        f"- {found.errors:,} of {found.n:,} validation images are wrong. The pair confused most: "
        f"{pair.count} of {true} taken for {predicted}, {pair.reverse_count} the other way round."
    )
    yield f"- {found.label_issues.estimate:,} labels are suspected to be wrong."
    yield from (f"- {one.sentence}" for one in found.slices)


BLOCKS: Mapping[str, Callable[[], Iterator[str]]] = {
    "tutorial/data": tell_data,
    "tutorial/baselines": lambda: tell_rungs("linear", "mlp"),
    "tutorial/convolutions": lambda: tell_rungs("vgg10", "vgg10-aug"),
    "tutorial/residual": lambda: tell_rungs("wrn", "wrn-aug"),
    "tutorial/cutmix": lambda: tell_rungs("wrn-cutmix"),
    "tutorial/squeeze": lambda: tell_rungs("wrn-se", "wrn-se-aug", "wrn-se-cutmix"),
    "tutorial/mish": lambda: tell_rungs(
        "wrn-mish", "wrn-aug-mish", "wrn-cutmix-mish", "wrn-se-mish", "wrn-se-aug-mish",
        "wrn-se-cutmix-mish",
    ),
    "tutorial/speed": lambda: tell_rungs("speednet", "tuned"),
    "tutorial/ensemble": tell_ensemble,
    "tutorial/choice": tell_choice,
    "tutorial/test": tell_test,
    "tutorial/errors": tell_errors,
}  # fmt: skip
