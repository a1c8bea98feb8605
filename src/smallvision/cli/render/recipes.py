"""Recipes and their parts as a newcomer reads them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.padding import Padding

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.recipes import Recipe, Rung
from smallvision.recipes.keys import list_keys
from smallvision.recipes.settings.recipe import TECHNIQUES
from smallvision.records.schema.settings.base import Technique

INDENT = (0, 0, 0, 4)
TITLES = {
    "model": "Models",
    "augment": "Augmentations",
    "optimizer": "Optimisers",
    "schedule": "Schedules",
    "averaging": "Averages",
}


def show_ladder(preset: str, sentence: str, ladder: Sequence[Rung], console: PlainConsole) -> None:
    """Each rung with its question, the weakness it answers and its key settings."""
    told = f"{sentence} Names such as sgdr are explained below."
    console.print(styled((f"Recipes of preset {preset}, cut to CIFAR-10. ", "bold"), told))
    for rung in ladder:
        beyond = f" (after {rung.after[-1]})" if rung.after else ""
        console.print()
        console.print(styled((rung.name, "bold"), beyond))
        for line in (rung.weakness, rung.question, *sum_up(rung.recipe)):
            console.print(Padding(line, INDENT, expand=False))


def sum_up(recipe: Recipe) -> tuple[str, str]:
    """What a recipe learns from and how, in two lines; what stands at its default is left out."""
    augment = ", ".join(describe(one, one.plain()) for one in recipe.augment) or "no augmentation"
    optimizer, schedule = (
        one.model_dump(mode="json", exclude_defaults=True)
        for one in (recipe.optimizer, recipe.schedule)
    )
    optimizer = {"lr": recipe.optimizer.lr, **optimizer}
    of_passes = f" of {recipe.passes} passes" if recipe.passes > 1 else ""
    return (
        f"{describe(recipe.model, recipe.model.plain())}; {augment}",
        f"{recipe.epochs} epochs{of_passes}, batches of {recipe.batch_size}; "
        f"{describe(recipe.optimizer, optimizer)}; {describe(recipe.schedule, schedule)}",
    )


def describe(technique: Technique, values: Mapping[str, Any]) -> str:
    """A technique's name and some of its settings: `crop padding=4`."""
    return f"{technique.name} {spell_settings(values)}".rstrip()


def spell_settings(values: Mapping[str, Any]) -> str:
    """Settings as `--set` takes them, without the name of their technique."""
    return " ".join(f"{key}={spell(value)}" for key, value in values.items() if key != "name")


def spell(value: Any) -> str:
    """A value as `--set` takes it, on one word."""
    if isinstance(value, list):
        return f"[{','.join(map(spell, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def show_parts(console: PlainConsole) -> None:
    """Every technique that a recipe may name, and how to choose and change it."""
    for part, title in TITLES.items():
        example = (
            "--set \"augment=['flip','crop']\"" if part == "augment" else f"--set {part}.name="
        )
        console.print()
        console.print(styled((title, "bold"), f"  {example}"))
        for technique in TECHNIQUES[part]:
            default, card = technique(), technique.card
            console.print(styled("  ", (default.name, "bold"), f"  {card.sentence}"))
            for line in (spell_settings(default.plain()), f"source: {card.source}"):
                if line:
                    console.print(Padding(styled((line, "dim")), INDENT, expand=False))
    show_other_keys(console)


def show_other_keys(console: PlainConsole) -> None:
    """What `--set` may change besides the parts, and how to begin."""
    values = Recipe().plain()
    rest = list_keys({key: value for key, value in values.items() if key not in TECHNIQUES})
    console.print()
    console.print(styled(("Other settings", "bold"), "  --set KEY=VALUE"))
    console.print(Padding(", ".join(rest), INDENT, expand=False))
    console.print()
    console.print("To begin", style="bold")
    for line in (
        "smallvision train cifar10 wrn-aug --set epochs=6 --set model.width=2",
        "smallvision recipes wrn-aug > mine.toml",
        "smallvision train cifar10 mine.toml",
    ):
        console.print(Padding(line, INDENT, expand=False))
