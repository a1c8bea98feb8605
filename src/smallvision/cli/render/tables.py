"""Records as tables in a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from smallvision.cli.render.table import new_table
from smallvision.compute.machine import Machine
from smallvision.errors import DataError
from smallvision.format import (
    format_certainty,
    format_clock,
    format_duration,
    format_fraction,
    format_percent,
    format_short_count,
    format_size,
    format_span,
    shorten_paths,
)
from smallvision.recipes.search_space import Values, spell_value
from smallvision.records.fields import POOLED
from smallvision.records.files import read_json
from smallvision.records.layout import (
    ENSEMBLE,
    MEMBERS,
    SEEDS,
    STATUS,
    STUDY,
    is_of_search,
    parent_run,
    run_folder,
)
from smallvision.reporting.sections.phrases import name_seeds
from smallvision.runs.classify import Classification
from smallvision.runs.results import Run, Tuning, list_figures

NOT_HERE = "not found; set SMALLVISION_DATA or --data-dir, or let the first use download it"
MAX_LINES = 20  # classes in a table
STYLES = {"better": "green", "worse": "red", "cannot tell apart": "yellow"}


def show_study(folder: Path, console: Console) -> None:
    """All rungs in one table, then the verdicts, the test and where the report is."""
    study = read_json(folder / STUDY)
    console.print()
    table = new_table("rung", "val %", "95 % interval", "train %", "gap", "params", "min:s", "ms")
    for rung in study["rungs"]:
        if rung["status"] == "skipped":
            continue
        if rung["status"] != "done":
            table.add_row(rung["name"], Text(rung["status"], style="red"))
            continue
        status = read_json(run_folder(folder, rung["name"]) / STATUS)
        winner = rung["name"] == study["best"]
        val, train = status["val"], status["train"]
        table.title = (
            f"{val['n']:,} validation images, {train['n']:,} clean training images; "
            "ms to classify one"
        )
        table.add_row(
            f"{rung['name']}{' *' if winner else ''}",
            format_fraction(val["accuracy"], val["n"]),
            format_span(val["interval"], val["n"]),
            format_fraction(train["accuracy"], train["n"]),
            Text(f"{status['gap'] * 100:+.1f}", style="" if status["within_limits"] else "yellow"),
            format_short_count(status["parameters"]),
            format_clock(status["seconds"]),
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
    """The test result: a sentence, the figures beyond it, and each class."""
    times = "once" if test["openings"] == 1 else f"{test['openings']} times"
    console.print(f"Test (opened {times}): {state_accuracy(test)}.", style="bold")
    everywhere = test.get("openings_on_machine") or 0
    if everywhere > test["openings"]:
        console.print(
            f"These test images have been opened {everywhere} times in all on this machine; the "
            "best of many figures flatters."
        )
    show_scorecard(test, console)


def show_val(card: dict[str, Any], console: Console) -> None:
    """The same of the validation images."""
    console.print(f"Validation: {state_accuracy(card)}.", style="bold")
    show_scorecard(card, console)


def state_accuracy(card: dict[str, Any]) -> str:
    """Accuracy with n and interval."""
    return (
        f"{format_percent(card['accuracy'], card['n'])} on {card['n']:,} images "
        f"(95 % interval {format_span(card['interval'], card['n'])})"
    )


def show_scorecard(card: dict[str, Any], console: Console) -> None:
    """Figures and classes; of many classes the hardest, with the weakest first."""
    figures = Table.grid(padding=(0, 2))
    for name, value in list_figures(card):
        figures.add_row(name, value)
    console.print(figures)
    lines = card["per_class"]
    title = None
    if len(lines) > MAX_LINES:
        title = f"The {MAX_LINES} weakest of {len(lines)} classes"
        lines = sorted(lines, key=lambda line: line["f1"])[:MAX_LINES]
    table = new_table("class", "precision", "recall", "F1", "support", title=title)
    for line in lines:
        shares = (f"{line[key]:.3f}" for key in ("precision", "recall", "f1"))
        table.add_row(Text(line["name"]), *shares, f"{line['support']:,}")
    console.print(table)


def show_run(run: Run, console: Console) -> None:
    """A finished run in two lines."""
    status = run.status
    train, epochs = status["train"], f"of {status['epochs_done']} ({status['stopped']})"
    training = f"{format_percent(train['accuracy'], train['n'])} on clean training images"
    if status.get("kind") == POOLED:
        console.print(
            f"{status['name']}: trained on all images, so none is left to validate it on; "
            f"{training}; epoch {status['best_epoch']} {epochs}, "
            f"{format_duration(status['seconds'])}."
        )
    else:
        val = status["val"]
        console.print(
            f"{status['name']}: {format_percent(val['accuracy'], val['n'])} on {val['n']:,} "
            f"validation images (95 % interval {format_span(val['interval'], val['n'])}), "
            f"{training}; best weights from epoch {status['best_epoch']} {epochs}."
        )
    for note in status["notes"]:
        console.print(note, markup=False)
    console.print(f"Run: {run.folder}", soft_wrap=True, markup=False)
    curves = f"Its curves as a page: smallvision report {run.folder}"
    console.print(curves, soft_wrap=True, markup=False)


def show_ensemble(run: Run, console: Console) -> None:
    """The candidates with what each member added, then the gain, its cost, and the other way."""
    status, record = run.status, read_json(run.folder / ENSEMBLE)
    val, train = status["val"], status["train"]
    steps = {
        (member["run"], member["epoch"]): step
        for member, step in zip(record["members"], record["steps"], strict=True)
    }
    table = new_table("candidate", "epoch", "val %", "loss", "chosen", "ensemble %", "gain")
    table.title = f"{val['n']:,} validation images; the gain of each member in points"
    names = shorten_paths({candidate["run"] for candidate in record["candidates"]})
    for candidate in record["candidates"]:
        step = steps.get((candidate["run"], candidate["epoch"]))
        row: list[Text | str] = [Text(names[candidate["run"]]), str(candidate["epoch"])]
        row += [format_fraction(candidate["accuracy"], val["n"]), f"{candidate['loss']:.3f}"]
        if step is not None:
            row += [str(step["members"]), format_fraction(step["accuracy"], val["n"])]
            row += [f"{step['gain'] * 100:+.1f}" if step["members"] > 1 else ""]
        table.add_row(*row, style="bold" if step else "")
    console.print(table)
    console.print(
        f"{status['name']}: {format_percent(val['accuracy'], val['n'])} on {val['n']:,} "
        f"validation images (95 % interval {format_span(val['interval'], val['n'])}), "
        f"{format_percent(train['accuracy'], train['n'])} on clean training images; "
        f"{status['stopped']}."
    )
    verdict, single = record["against_single"], record["single"]
    console.print(Text(verdict["sentence"], style=STYLES[verdict["verdict"]]))
    console.print(
        f"One image takes {status['latency_seconds'] * 1000:.1f} ms, "
        f"{record['cost']['latency_ratio']:.1f} times as long as the single network "
        f"({single['latency_seconds'] * 1000:.1f} ms); the weights take "
        f"{format_size(status['size_bytes'])}, {record['cost']['size_ratio']:.1f} times as much."
    )
    if record["averaged_weights"] is not None:
        console.print(record["averaged_weights"]["sentence"], markup=False)
    console.print(f"Ensemble: {run.folder}", soft_wrap=True, markup=False)
    if len(record["members"]) > 1:
        again = f"One network that learns from it: smallvision distill {run.folder}"
        console.print(again, soft_wrap=True, markup=False)


def show_distilled(status: dict[str, Any], record: dict[str, Any], console: Console) -> None:
    """A student beside its teacher: the verdict, and the cost."""
    verdict, teacher, cost = record["against_teacher"], record["teacher"], record["cost"]
    console.print(Text(verdict["sentence"], style=STYLES[verdict["verdict"]]))
    mine = cost["latency_ratio"] * teacher["latency_seconds"]
    console.print(
        f"One image takes {mine * 1000:.1f} ms, {cost['latency_ratio']:.2f} of what its teacher "
        f"takes ({teacher['latency_seconds'] * 1000:.1f} ms); the weights take "
        f"{format_size(status['size_bytes'])}, {cost['size_ratio']:.2f} of its teacher's."
    )


def show_classification(found: Classification, console: Console) -> None:
    """The class of each picture, and the next one."""
    for note in found.notes:
        console.print(note, markup=False)
    table = new_table("picture", "class", "certainty", "next", "certainty")
    table.columns[0].no_wrap = False
    table.columns[1].justify = table.columns[3].justify = "left"
    for number, path in enumerate(found.paths):
        cells: list[Text | str] = [Text(str(path), overflow="fold")]
        for name, probability in found.rank(number, 2):
            cells += [Text(name), format_certainty(probability)]
        table.add_row(*cells)
    console.print(table)


def show_tuning(tuning: Tuning, own: Values, console: Console) -> None:
    """The winner beside the recipe, whether its gain holds, and where it is written."""
    record = tuning.record
    best = record["best"]
    table = new_table(
        "setting", "recipe", "tuned", "importance", title=f"Best: trial {best['number']}"
    )
    for key, value in best["values"].items():
        weight = record["importance"].get(key)
        table.add_row(
            key,
            spell_value(own[key]),
            spell_value(value),
            "" if weight is None else f"{weight:.0%}",
            style="bold" if value != own[key] else "",
        )
    console.print()
    console.print(table)
    if record["rerun"] is not None:
        console.print(Text(record["rerun"]["sentence"], style="bold"), soft_wrap=True)
    console.print(f"Recipe: {tuning.folder / 'tuned.toml'}", soft_wrap=True, markup=False)


def show_seeds(name: str, seeds: dict[str, Any], console: Console) -> None:
    """A run and its repeats in one sentence, and those that failed in another."""
    if seeds["std"] is not None:
        console.print(
            f"{name}: {format_percent(seeds['mean'], seeds['n'])} "
            f"± {format_fraction(seeds['std'], seeds['n'])} "
            f"over {len(seeds['seeds'])} seeds on one split (95 % interval of the mean "
            f"{format_span(seeds['interval'], seeds['n'])})."
        )
    tell_failed(name, seeds.get("failed", []), console)  # absent from older records


def tell_failed(name: str, seeds: Sequence[int], console: Console) -> None:
    """Name the seeds that failed: whoever shows a mean says what it leaves out."""
    if seeds:
        console.print(
            f"{name} failed with {name_seeds(seeds)}, which no mean includes; "
            "status.json in seeds/ says why.",
            style="red",
            markup=False,
        )


def show_comparison(comparison: dict[str, Any], console: Console) -> None:
    """The groups, best first, then what may be said of each pair."""
    n = comparison["n"]
    table = new_table("group", "seeds", "val %", "±", "95 % interval")
    table.title = f"{n:,} validation images"
    for wide in table.columns[:2]:
        wide.no_wrap, wide.overflow = False, "fold"
    for group in comparison["groups"]:
        table.add_row(
            Text(group["name"]),
            ", ".join(map(str, group["seeds"])),
            format_fraction(group["mean"], n),
            "" if group["std"] is None else format_fraction(group["std"], n),
            format_span(group["interval"], n),
        )
    console.print(table)
    for group in comparison["groups"]:
        tell_failed(group["name"], group["failed"], console)
    for pair in comparison["pairs"]:
        console.print(Text(pair["sentence"], style=STYLES[pair["verdict"]]))
    console.print(
        "A group of one run: its interval covers other images, and a verdict on two such groups "
        "speaks of these networks, not of their recipes. With several seeds the interval covers "
        "other seeds, and verdicts cover both.",
        style="dim",
    )


def show_runs(root: Path, found: list[tuple[Path, dict[str, Any]]], console: Console) -> None:
    """Every run with its figures, best first, unfinished ones last.

    Repeats, refits and members stand below their run, and the runs of a search are left out, so
    that neither a lucky seed nor the best of many trials leads the list.
    """
    runs = {run: status for run, status in found if not is_of_search(run)}
    if not found:
        console.print(f"no runs below {root}; `smallvision train` makes one")
        return
    table = new_table("run", "status", "val %", "95 % interval", "train %", "epoch", "time")
    lines = {run: trace_line(run, runs) for run in runs}
    for run in sorted(
        runs, key=lambda run: (-read_accuracy(runs[lines[run][0]]), str(lines[run][0]))
    ):
        status, depth = runs[run], len(lines[run]) - 1
        place = f"{'  ' * depth}{name_part(run)}" if depth else str(run.relative_to(root))
        row = [Text(place), status["status"]]
        if status["status"] == "done":
            val, train = status.get("val"), status["train"]
            # A refit has seen the validation images: its status repeats what its twin reached.
            own = val if status.get("kind") != "refit" else None
            row += [
                format_fraction(own["accuracy"], own["n"]) if own else "",
                format_span(own["interval"], own["n"]) if own else "",
                format_fraction(train["accuracy"], train["n"]),
                str(status["best_epoch"]),
                format_duration(status["seconds"]),
            ]
        table.add_row(*row)
    if runs:
        console.print(table)
    if left_out := len(found) - len(runs):
        console.print(
            f"{left_out} {'run' if left_out == 1 else 'runs'} of searches left out: the best of "
            "many trials is flattered by luck; tune.json lists them.",
            style="dim",
        )


def trace_line(run: Path, runs: Collection[Path]) -> tuple[Path, ...]:
    """A run and those it is a part of, the outermost first, as far as they are listed."""
    parent = parent_run(run)
    return (run,) if parent is None or parent not in runs else (*trace_line(parent, runs), run)


def name_part(run: Path) -> str:
    """What a part of a run is: `seed 3`, `refit`, `member snapshots`."""
    kind = {SEEDS: "seed ", MEMBERS: "member "}.get(run.parent.name, "")
    return f"{kind}{run.name}"


def read_accuracy(status: dict[str, Any]) -> float:
    """Validation accuracy of a run; -1 for one that has none of its own."""
    if status.get("kind") == "refit":
        return -1
    return float(status.get("val", {}).get("accuracy", -1))


def show_errors(errors: dict[str, Any], folder: Path, console: Console) -> None:
    """The commonest confusions, the worst errors, and what they may have to do with."""
    names, n = errors["class_names"], errors["n"]
    console.print(
        f"{errors['model']}: {errors['errors']:,} errors on {n:,} validation images "
        f"({format_percent(errors['errors'] / n, n)}).",
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
            sure = (
                format_certainty(error["confidence"]),
                format_certainty(error["true_probability"]),
            )
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


def show_machine(
    environment: dict[str, Any],
    machine: Machine,
    *,
    compiler: bool,
    fast_bf16: bool,
    found: dict[str, Path | DataError | None],
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
        "processor": ", ".join(
            filter(None, (environment[one] for one in ("processor", "generation", "instructions")))
        ),
        "threads": machine.threads,
        "memory": format_size(memory) if memory else "unknown",
        "gpu": environment["gpu"] or "none",
        "device": f"{machine.device} (chosen)",
        "precision": f"{machine.precision} (chosen; bf16 is "
        f"{'fast' if fast_bf16 else 'not fast'} here)",
        "compiler": "found" if compiler else "none: compile = 'on' needs one",
        **{f"data: {key}": place or NOT_HERE for key, place in found.items()},
    }.items():
        table.add_row(name, Text(str(value)))
    console.print(table)
