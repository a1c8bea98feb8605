"""A finished study in the terminal."""

from __future__ import annotations

from pathlib import Path

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.scores import list_class_means, print_test
from smallvision.cli.render.tables import new_table, print_plain, print_verdict
from smallvision.format import (
    format_clock,
    format_fraction,
    format_points,
    format_short_count,
    format_span,
    tell_folds,
)
from smallvision.records import store
from smallvision.records.layout import (
    FOLDS_RECORD,
    STUDY,
    TEST,
    VERDICTS,
    read_status,
    run_folder,
)
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    FoldSummary,
    LadderVerdicts,
    StudyRecord,
    TestRecord,
    ValidatedRun,
)

UNEVEN_CLASSES = (
    "The largest class has over three times the images of the smallest. Balanced accuracy and "
    "macro F1 count every class alike; --metric chooses by them."
)


def print_study(folder: Path, console: PlainConsole) -> None:
    """Print all rungs in one table, then the verdicts, the test and where the report is."""
    study = store.read(folder / STUDY, StudyRecord)
    console.print()
    print_rungs(folder, study, console)
    verdicts = store.read_if_there(folder / VERDICTS, LadderVerdicts)
    for step in verdicts.steps if verdicts else ():
        print_verdict(console, step.sentence, step.verdict)
    console.print()
    if study.best is not None:
        console.print(f"Winner: {study.best}, {study.best_reason}.")
        if verdicts and verdicts.winner_choice:
            console.print(verdicts.winner_choice.sentence)
    if exists(folder / TEST):
        print_test(store.read(folder / TEST, TestRecord), console)
    print_plain(console, f"Report: {folder / 'report.html'}")


def print_rungs(folder: Path, study: StudyRecord, console: PlainConsole) -> None:
    """Print a line for each rung that was to be trained."""
    uneven = has_uneven_classes(folder, study)
    by_class = ("balanced %", "F1 %") if uneven else ()
    table = new_table(
        "rung", "val %", "95 % interval", *by_class, "train %", "gap", "params", "min:s", "ms"
    )
    failed: list[str] = []
    for rung in study.rungs:
        if rung.status == "skipped":
            continue
        run = run_folder(folder, rung.name)
        status = read_status(run) if rung.is_done else None
        if not isinstance(status, ValidatedRun):
            table.add_row(rung.name, styled((rung.status, "red")))
            continue
        folds = store.read_if_there(run / FOLDS_RECORD, FoldSummary)
        if folds is not None:
            status = folds.judge(status)
            failed += [f"{rung.name}, fold {number}" for number in folds.failed]
        val, train, winner = status.val, status.train, rung.name == study.best
        table.heading = (
            f"{val.n:,} validation images{tell_folds(study.folds)}, "
            f"{train.n:,} clean training images; ms to classify one; "
            "↑ still rising at the last epoch; * the winner"
        )
        rising = " ↑" if status.course and status.course.rising else ""
        gap = format_points(status.gap).removesuffix(" points")
        table.add_row(
            f"{rung.name}{' *' if winner else ''}",
            f"{format_fraction(val.accuracy, val.n)}{rising}",
            format_span(val.interval, val.n),
            *(list_class_means(val.by_class, val.n) if uneven else ()),
            format_fraction(train.accuracy, train.n),
            styled((gap, "" if status.within_limits else "yellow")),
            format_short_count(status.parameters),
            format_clock(status.seconds),
            f"{status.latency_seconds * 1000:.1f}",
            style="bold" if winner else "",
        )
    if uneven:
        console.print(UNEVEN_CLASSES, style="dim")
    console.print(table)
    if failed:
        console.print(f"Failed, and in no figure: {'; '.join(failed)}.", style="yellow")


def has_uneven_classes(folder: Path, study: StudyRecord) -> bool:
    """Whether accuracy alone would say little of the finished rungs."""
    done = [run_folder(folder, rung.name) for rung in study.rungs if rung.is_done]
    found = (read_status(run) for run in done)
    rates = [status.val.by_class for status in found if isinstance(status, ValidatedRun)]
    return any(rate is not None and rate.is_uneven for rate in rates)
