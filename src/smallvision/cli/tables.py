"""Records as tables in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from smallvision.cli.words import certainty, clock, count, digits, interval, percent, size, span
from smallvision.data.dataset import DataSet
from smallvision.data.explore import Exploration
from smallvision.records.files import read_json
from smallvision.records.folder import STATUS, STUDY
from smallvision.records.machine import Machine
from smallvision.study import Run

NOT_HERE = "not found; set SMALLVISION_DATA or --data-dir, or let the first use download it"
STYLES = {"better": "green", "worse": "red", "cannot tell apart": "yellow"}


def new_table(*columns: str, title: str | None = None) -> Table:
    """A table with a first column of names and right-aligned figures after it."""
    table = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
    )
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position else "left", no_wrap=True)
    return table


def show_study(folder: Path, console: Console) -> None:
    """All rungs in one table, then the verdicts, the test and where the report is."""
    study = read_json(folder / STUDY)
    console.print()
    table = new_table("rung", "val %", "95 % interval", "train %", "gap", "params", "time", "ms")
    for rung in study["rungs"]:
        if rung["status"] != "done":
            table.add_row(rung["name"], Text(rung["status"], style="red"))
            continue
        status = read_json(folder / "runs" / rung["name"] / STATUS)
        winner = rung["name"] == study["best"]
        val, train = status["val"], status["train"]
        table.title = (
            f"{val['n']:,} validation images, {train['n']:,} clean training images; "
            "ms to classify one"
        )
        table.add_row(
            f"{rung['name']}{' *' if winner else ''}",
            digits(val["accuracy"], val["n"]),
            span(val["interval"], val["n"]),
            digits(train["accuracy"], train["n"]),
            Text(f"{status['gap'] * 100:+.1f}", style="" if status["within_limits"] else "yellow"),
            count(status["parameters"]),
            clock(status["seconds"]),
            f"{status['latency_seconds'] * 1000:.1f}",
            style="bold" if winner else "",
        )
    console.print(table)
    if (folder / "verdicts.json").exists():
        for step in read_json(folder / "verdicts.json")["steps"]:
            console.print(Text(step["sentence"], style=STYLES[step["verdict"]]))
    console.print()
    if study["best"] is not None:
        console.print(f"Winner: {study['best']}, {study['best_reason']}.")
    if (folder / "test.json").exists():
        show_test(read_json(folder / "test.json"), console)
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True, markup=False)


def show_test(test: dict[str, Any], console: Console) -> None:
    """The test result in one sentence."""
    times = "once" if test["openings"] == 1 else f"{test['openings']} times"
    beside = "differs from" if test["differs_from_val"] else "agrees with"
    console.print(
        f"Test: {percent(test['accuracy'], test['n'])} on {test['n']:,} images "
        f"(95 % interval {interval(test['interval'], test['n'])}), which {beside} validation; "
        f"the test set was opened {times}.",
        style="bold",
    )


def show_run(run: Run, console: Console) -> None:
    """A finished run in two lines."""
    status = run.status
    val, train = status["val"], status["train"]
    console.print(
        f"{status['name']}: {percent(val['accuracy'], val['n'])} on {val['n']:,} validation images "
        f"(95 % interval {interval(val['interval'], val['n'])}), "
        f"{percent(train['accuracy'], train['n'])} on clean training images; best weights from "
        f"epoch {status['best_epoch']} of {status['epochs_done']} ({status['stopped']})."
    )
    for note in status["notes"]:
        console.print(note, markup=False)
    console.print(f"Run: {run.folder}", soft_wrap=True, markup=False)


def show_runs(root: Path, found: list[tuple[Path, dict[str, Any]]], console: Console) -> None:
    """Every run with its figures, best first, unfinished ones last."""
    if not found:
        console.print(f"no runs below {root}; `smallvision train` makes one")
        return
    table = new_table("run", "status", "val %", "95 % interval", "train %", "epoch", "time")
    for folder, status in sorted(
        found, key=lambda pair: -pair[1].get("val", {}).get("accuracy", -1)
    ):
        row = [Text(str(folder.relative_to(root))), status["status"]]
        if status["status"] == "done":
            val, train = status["val"], status["train"]
            row += [
                digits(val["accuracy"], val["n"]),
                span(val["interval"], val["n"]),
                digits(train["accuracy"], train["n"]),
                str(status["best_epoch"]),
                clock(status["seconds"]),
            ]
        table.add_row(*row)
    console.print(table)


def show_errors(errors: dict[str, Any], folder: Path, console: Console) -> None:
    """The commonest confusions, the worst errors, and what they may have to do with."""
    names, n = errors["class_names"], errors["n"]
    console.print(
        f"{errors['model']}: {errors['errors']:,} errors on {n:,} validation images "
        f"({percent(errors['errors'] / n, n)}).",
        markup=False,
    )
    if errors["pairs"]:
        pairs = new_table("confused most", "errors", "the other way round")
        for pair in errors["pairs"][:5]:
            said = Text(f"{names[pair['true']]} taken for {names[pair['predicted']]}")
            pairs.add_row(said, f"{pair['count']:,}", f"{pair['reverse_count']:,}")
        console.print(pairs)
        worst = new_table("most confident errors", "image", "confidence", "for the true class")
        for error in errors["worst"][:5]:
            said = Text(f"{names[error['true']]} taken for {names[error['predicted']]}")
            sure = certainty(error["confidence"]), certainty(error["true_probability"])
            worst.add_row(said, str(error["index"]), *sure)
        console.print(worst)
    if errors["disagreements"]:
        console.print(f"The members disagree most on {len(errors['disagreements'])} images.")
    for line in errors["slices"]:
        console.print(line["sentence"], markup=False)
    issues = errors["label_issues"]["estimate"]
    console.print(
        f"{issues:,} validation {'image looks' if issues == 1 else 'images look'} confidently like "
        "another class than the label says: a wrong label, or the model's own mistake."
    )
    console.print(f"Figures and pictures: {folder}", soft_wrap=True, markup=False)


def show_exploration(dataset: DataSet, exploration: Exploration, console: Console) -> None:
    """What a data set is, class by class and channel by channel, and what follows."""
    record = exploration.record
    console.print(Text.assemble((dataset.name, "bold"), "  ", dataset.source), soft_wrap=True)
    for note in dataset.notes:
        console.print(note, markup=False)
    classes = new_table("class", "images", "share")
    shown = list(zip(record["class_names"], record["counts"], strict=True))
    for name, images in shown[:20]:
        classes.add_row(Text(name), f"{images:,}", percent(images / record["n"], record["n"]))
    if len(shown) > 20:
        classes.add_row(f"… and {len(shown) - 20} more")
    console.print(classes)
    channels = new_table("channel", "mean", "deviation")
    for channel in record["channels"]:
        channels.add_row(channel["name"], f"{channel['mean']:.4f}", f"{channel['std']:.4f}")
    console.print(channels)
    for sentence in record["implications"]:
        console.print(f"  {sentence}", markup=False)
    console.print(f"  {len(dataset.test):,} test images stay sealed.")


def show_machine(
    environment: dict[str, Any],
    machine: Machine,
    *,
    compiler: bool,
    fast_bf16: bool,
    found: dict[str, Path | None],
    console: Console,
) -> None:
    """What this machine offers, one line each."""
    table = Table.grid(padding=(0, 2))
    memory = environment["memory_bytes"]
    versions = environment["versions"]
    for name, value in {
        "smallvision": versions["smallvision"] or "not installed",
        "python": environment["python"],
        "torch": versions["torch"],
        "processor": environment["processor"],
        "threads": machine.threads,
        "memory": size(memory) if memory else "unknown",
        "gpu": environment["gpu"] or "none",
        "device": f"{machine.device} (chosen)",
        "precision": f"{machine.precision} (chosen; bf16 is "
        f"{'fast' if fast_bf16 else 'not fast'} here)",
        "compiler": "found" if compiler else "none: long runs on the CPU will not be compiled",
        **{f"data: {key}": place or NOT_HERE for key, place in found.items()},
    }.items():
        table.add_row(name, str(value))
    console.print(table)
