"""Recipes and their parts as a newcomer reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from smallvision.augment import AUGMENTATIONS
from smallvision.cards import Card
from smallvision.models import MODELS
from smallvision.optim import OPTIMIZERS, SCHEDULES
from smallvision.recipes import Recipe, Rung, parse_recipe
from smallvision.recipes.toml import find_difference, list_keys
from smallvision.training import AVERAGES

INDENT = (0, 0, 0, 4)


def show_ladder(preset: str, sentence: str, ladder: Sequence[Rung], console: Console) -> None:
    """Each rung with its question, the weakness it answers and its key settings."""
    console.print(
        Text.assemble((f"Recipes of preset {preset}, cut to CIFAR-10. ", "bold"), sentence)
    )
    for rung in ladder:
        beyond = f" (after {rung.after[-1]})" if rung.after else ""
        console.print(Text.assemble("\n", (rung.name, "bold"), beyond))
        for line in (rung.weakness, rung.question, *sum_up(rung.recipe)):
            console.print(Padding(Text(line), INDENT, expand=False))


def sum_up(recipe: Recipe) -> tuple[str, str]:
    """What a recipe learns from and how, in two lines; what stands at its default is left out."""
    values = recipe.plain()
    augment = ", ".join(describe_part(part) for part in values["augment"]) or "no augmentation"
    optimizer, schedule = (
        {**find_difference(values[part], default_part(part, values[part]["name"])), "name": name}
        for part, name in (
            ("optimizer", f"{recipe.optimizer.name} lr={recipe.optimizer.lr:g}"),
            ("schedule", recipe.schedule.name),
        )
    )
    optimizer.pop("lr", None)
    return (
        f"{describe_part(values['model'])}; {augment}",
        f"{recipe.epochs} epochs, batches of {recipe.batch_size}; {describe_part(optimizer)}; "
        f"{describe_part(schedule)}",
    )


def describe_part(part: Mapping[str, Any]) -> str:
    """A part's name and settings: `crop padding=4`."""
    settings = " ".join(f"{key}={spell(value)}" for key, value in part.items() if key != "name")
    return f"{part['name']} {settings}".rstrip()


def spell(value: Any) -> str:
    """A value as `--set` takes it, on one word."""
    if isinstance(value, list):
        return f"[{','.join(map(spell, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def show_parts(console: Console) -> None:
    """Every part that a recipe may name, and how to choose and change it."""
    shelves: tuple[tuple[str, str, Iterable[tuple[str, Card]]], ...] = (
        ("Models", "model", [(name, entry.card) for name, entry in MODELS.items()]),
        ("Augmentations", "augment", [(name, entry.card) for name, entry in AUGMENTATIONS.items()]),
        ("Optimisers", "optimizer", [(name, entry.card) for name, entry in OPTIMIZERS.items()]),
        ("Schedules", "schedule", [(name, entry.card) for name, entry in SCHEDULES.items()]),
        ("Averages", "averaging", [(name, entry.card) for name, entry in AVERAGES.items()]),
    )
    for title, part, cards in shelves:
        example = (
            "--set \"augment=['flip','crop']\"" if part == "augment" else f"--set {part}.name="
        )
        console.print(Text.assemble("\n", (title, "bold"), f"  {example}"))
        for name, card in cards:
            console.print(Text.assemble("  ", (name, "bold"), f"  {card.sentence}"))
            settings = describe_part({**default_part(part, name), "name": ""}).strip()
            for line in (settings, f"source: {card.source}"):
                if line:
                    console.print(Padding(Text(line, style="dim"), INDENT, expand=False))
    show_other_keys(console)


def default_part(part: str, name: str) -> dict[str, Any]:
    """A part of a recipe with its default settings, as plain values."""
    if part == "augment":
        chosen = parse_recipe({"augment": [name]}).plain()["augment"][0]
    else:
        chosen = parse_recipe({part: {"name": name}}).plain()[part]
    return dict(chosen)


def show_other_keys(console: Console) -> None:
    """What `--set` may change besides the parts, and how to begin."""
    values = Recipe().plain()
    parts = {"model", "augment", "optimizer", "schedule", "averaging"}
    rest = list_keys({key: value for key, value in values.items() if key not in parts})
    console.print(Text.assemble("\n", ("Other settings", "bold"), "  --set KEY=VALUE"))
    console.print(Padding(Text(", ".join(rest)), INDENT, expand=False))
    console.print(Text.assemble("\n", ("To begin", "bold")))
    for line in (
        "smallvision train cifar10 wrn-aug --set epochs=6 --set model.width=2",
        "smallvision recipes wrn-aug > mine.toml",
        "smallvision train cifar10 mine.toml",
    ):
        console.print(Padding(Text(line), INDENT, expand=False))
