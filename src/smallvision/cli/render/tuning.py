"""A finished search in the terminal."""

from __future__ import annotations

from pathlib import Path

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import new_table, print_plain
from smallvision.format import format_percent
from smallvision.recipes.search_space import spell_value
from smallvision.records.schema import BestTrial, SettingValues, TuningRecord


def print_tuning(
    folder: Path, record: TuningRecord, own: SettingValues, console: PlainConsole
) -> None:
    """Print the winner beside the recipe, whether its gain holds, and where it is written.

    Args:
        folder: of the search.
        record: of the search.
        own: the settings of the untuned recipe.
        console: where to print.
    """
    console.print()
    if record.best is not None:
        print_settings(record, record.best, own, console)
    if record.rerun is not None:
        sentence = styled((record.rerun.sentence, "bold"))
        console.print(sentence, soft_wrap=not console.is_terminal)
    print_plain(console, f"Recipe: {folder / 'tuned.toml'}")


def print_settings(
    record: TuningRecord, best: BestTrial, own: SettingValues, console: PlainConsole
) -> None:
    """Print each setting of the best trial beside that of the untuned recipe."""
    title = f"Best: trial {best.number}"
    table = new_table("setting", "recipe", "tuned", "importance", title=title)
    for key, value in best.values.items():
        weight = record.importance.get(key)
        table.add_row(
            key,
            spell_value(own[key]),
            spell_value(value),
            "" if weight is None else format_percent(weight),
            style="bold" if value != own[key] else "",
        )
    console.print(table)
