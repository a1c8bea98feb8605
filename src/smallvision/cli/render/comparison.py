"""A comparison of runs in the terminal."""

from __future__ import annotations

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.run import print_failed_seeds
from smallvision.cli.render.scores import list_class_means
from smallvision.cli.render.tables import new_table, print_verdict
from smallvision.format import format_fraction, format_span, name_seeds, tell_folds
from smallvision.records.schema import Comparison


def print_comparison(comparison: Comparison, console: PlainConsole) -> None:
    """Print the groups, best first, then what may be said of each pair."""
    n = comparison.n
    uneven = any(group.by_class and group.by_class.is_uneven for group in comparison.groups)
    by_class = ("balanced %", "F1 %") if uneven else ()
    table = new_table("group", "trained with", "val %", "±", "95 % interval", *by_class)
    table.heading = f"{n:,} validation images{tell_folds(comparison.folds)}"
    for wide in table.columns[:2]:
        wide.no_wrap, wide.overflow = False, "fold"
    for group in comparison.groups:
        table.add_row(
            styled(group.name),
            name_seeds(group.seeds),
            format_fraction(group.mean, n),
            "" if group.std is None else format_fraction(group.std, n),
            format_span(group.interval, n),
            *(list_class_means(group.by_class, n) if uneven else ()),
        )
    console.print(table)
    for group in comparison.groups:
        print_failed_seeds(group.name, group.failed, console)
    for pair in comparison.pairs:
        print_verdict(console, pair.sentence, pair.verdict)
    console.print(
        "A group of one run: its interval covers other images, and a verdict on two such groups "
        "speaks of these networks, not of their recipes. With several seeds the interval covers "
        "other seeds, and verdicts cover both.",
        style="dim",
    )
