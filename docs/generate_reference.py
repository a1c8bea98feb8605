"""Write docs/RECIPES.md from the settings of recipes, and docs/COMMANDS.md from the commands.

`python docs/generate_reference.py` writes the pages; with `--check` it fails when one is stale.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from smallvision.cli.loading import OPTIONS
from smallvision.cli.main import app
from smallvision.recipes.ladder import build_cifar10_ladder
from smallvision.recipes.presets import PRESETS
from smallvision.recipes.settings.recipe import TECHNIQUES, Recipe
from smallvision.records.schema.settings.base import Settings, Technique

FOLDER = Path(__file__).parent
UNBOUNDED = 1e5  # an upper end from which on it only keeps nonsense out

RECIPES = """# Recipes and settings
What `smallvision train` and `--set KEY=VALUE` accept. This page is generated from the settings by `make docs`; `smallvision recipes` prints the ladder at the sizes of a preset, and `smallvision recipes wrn-aug` a whole recipe as TOML.

A recipe is everything that decides a run, besides the data and the split: a rung by its name, or a TOML file. A value of `--set` is written as in TOML; quotes around a single word may be left out:

```sh
smallvision train digits wrn-aug --set epochs=6 --set optimizer.lr=0.05
smallvision train digits wrn-aug --set optimizer.name=muon --set "augment=['crop', 'cutout']"
smallvision train digits wrn-aug --set "augment=[{name='crop', padding=1}, 'random_erasing']"
smallvision recipes vgg10-aug > mine.toml       # change it, then:
smallvision train digits mine.toml
```

Naming another technique, such as `optimizer.name=muon`, begins with the defaults of that technique. An unknown key is an error that names the nearest known one; a number out of its range is refused before anything is trained.
"""

COMMANDS = """# Commands
Every command with its options. This page is generated from the commands by `make docs`; `smallvision COMMAND --help` prints the same. The [guides](index.md) say when to use which.

A command ends with 0 when it is done, 1 when a run diverged or ran out of memory, or a study finished no rung, 2 when something is asked for that cannot be done, which one line on stderr explains, 3 when some of the pictures to classify could not be read, and 130, 143, 129 or 141 when it was interrupted, terminated, hung up, or nobody read on.
"""


# ---------------------------------------------------------------------------------- recipes


def write_recipes() -> str:
    """The page of recipes and settings."""
    lines = [RECIPES, *describe_ladder(), "## Settings of a recipe", "", *tabulate(Recipe), ""]
    for name, field in Recipe.model_fields.items():
        inner = find_settings(field.annotation)
        if inner and name not in TECHNIQUES:
            prefix = "" if is_list(field.annotation) else f"{name}."
            lines += [f"### {name}", *document(inner), "", *tabulate(inner, prefix), ""]
    for part, techniques in TECHNIQUES.items():
        lines += [f"## {TITLES[part][0]}", TITLES[part][1], ""]
        for technique in techniques:
            lines += describe_technique(part, technique)
    return "\n".join(lines).rstrip() + "\n"


TITLES = {
    "model": (
        "Networks",
        "Chosen with `--set model.name=NAME`; its settings are `model.KEY`.",
    ),
    "augment": (
        "Augmentations",
        "A list, applied in its order: `--set \"augment=['flip', 'crop']\"`, or with settings "
        "`--set \"augment=[{name='crop', padding=2}]\"`.",
    ),
    "optimizer": (
        "Optimisers",
        "Chosen with `--set optimizer.name=NAME`; its settings are `optimizer.KEY`.",
    ),
    "schedule": (
        "Schedules of the learning rate",
        "Chosen with `--set schedule.name=NAME`; its settings are `schedule.KEY`. Each multiplies "
        "the learning rate of the optimiser, `lr`, which is the peak.",
    ),
    "averaging": (
        "Averages of the weights",
        "Chosen with `--set averaging.name=NAME`; its settings are `averaging.KEY`.",
    ),
}


def describe_ladder() -> Iterator[str]:
    """The rungs, each with its question and what it may build on."""
    yield "## Rungs"
    yield (
        "The ladder of a study. Each rung changes the best finished one of those that it may build "
        "on; trained alone it changes the one above it. A technique that its base lacks drops out "
        "of its name: `wrn-se` is `wrn-se-cutmix` on a base without CutMix."
    )
    yield "\n| rung | the weakness that it answers | its question | may build on |\n|---|---|---|---|"
    for rung in build_cifar10_ladder(PRESETS["laptop"].seconds):
        after = ", ".join(f"`{slot}`" for slot in rung.after)
        if len(rung.after) > 4:
            after = "any before it"
        yield f"| `{rung.slot}` | {rung.weakness} | {rung.question} | {after} |"
    yield (
        "\nA study with `--start MODEL` has one rung more, `transfer`, which is `speednet` begun "
        "with the weights of that model. Networks, epochs and cycles follow from the budget: "
    )
    yield "\n| preset | time |\n|---|---|"
    for name, preset in PRESETS.items():
        yield f"| `{name}` | {preset.sentence} |"
    yield ""


def find_settings(kind: Any) -> type[Settings] | None:
    """The settings class that a type is, or that it is a list of; None for any other."""
    if isinstance(kind, type) and issubclass(kind, Settings):
        return kind
    return next((found for inner in get_args(kind) if (found := find_settings(inner))), None)


def document(kind: type) -> list[str]:
    """The first paragraph of a docstring, on one line."""
    text = (kind.__doc__ or "").split("\n\n")[0]
    return [re.sub(r"\s+", " ", text).strip()]


def tabulate(kind: type[Settings], prefix: str = "") -> Iterator[str]:
    """A table of settings."""
    told = [name for name in kind.model_fields if name != "name" or kind is Recipe]
    if not told:
        yield "No settings."
        return
    meanings = any(kind.model_fields[name].description for name in told)
    yield f"| key | value | default |{' meaning |' if meanings else ''}"
    yield f"|---|---|---|{'---|' if meanings else ''}"
    for name in told:
        field = kind.model_fields[name]
        meaning = f" {clean(field.description)} |" if meanings else ""
        yield f"| `{prefix}{name}` | {name_value(name, field)} | {spell_default(field)} |{meaning}"


def name_value(name: str, field: FieldInfo) -> str:
    """What a setting may be, in words."""
    if name in TECHNIQUES and find_settings(field.annotation):
        title = TITLES[name][0]
        return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
    inner = find_settings(field.annotation)
    if inner:
        listed = "a list of " if is_list(field.annotation) else ""
        return f"{listed}[its settings](#{name})"
    return name_kind(field.rebuild_annotation())


def is_list(kind: Any) -> bool:
    """Whether a type is a list, whatever annotates it."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_origin(kind) is tuple


def name_kind(kind: Any) -> str:
    """A type in words, with its range."""
    bounds = ""
    while get_origin(kind) is Annotated:
        kind, *rules = get_args(kind)
        bounds = bounds or name_bounds(rules)
    if get_origin(kind) is Literal:
        return " or ".join(f"`{one}`" for one in get_args(kind))
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if Ellipsis in inner:
            return f"a list; each {name_kind(inner[0])}"
        return f"{len(inner)} values; each {name_kind(inner[0])}"
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(map(name_kind, get_args(kind)))
    return {bool: "true or false", int: "whole number", float: "number", str: "text"}[kind] + bounds


def name_bounds(rules: Sequence[Any]) -> str:
    """The range of a number."""
    flat = [one for rule in rules for one in getattr(rule, "metadata", [rule])]

    def find(name: str) -> float | None:
        return next((getattr(one, name) for one in flat if hasattr(one, name)), None)

    low = [f"{word} {bound:g}" for name, word in (("ge", "from"), ("gt", "above"))
           if (bound := find(name)) is not None]  # fmt: skip
    high = [f"{word} {bound:g}" for name, word in (("le", "to"), ("lt", "below"))
            if (bound := find(name)) is not None and bound < UNBOUNDED]  # fmt: skip
    return f" {' '.join([*low, *high])}" if low or high else ""


def spell_default(field: FieldInfo) -> str:
    """The default as `--set` takes it; of settings inside settings, the name of the technique."""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Technique):
        return f"`{value.name}`"
    if isinstance(value, BaseModel):
        return ""
    if field.is_required():
        return "must be given"
    return f"`{json.dumps(value) if not isinstance(value, str) else value or '(empty)'}`"


def describe_technique(part: str, technique: type[Technique]) -> Iterator[str]:
    """One technique: its card and its settings."""
    card = technique.card
    yield f"### {technique().name}"
    yield f"{card.sentence}\n"
    yield f"- Assumes: {card.assumes}."
    yield f"- Costs: {card.costs}."
    yield f"- Source: {card.source}.\n"
    yield from tabulate(technique, "" if part == "augment" else f"{part}.")
    yield ""


# --------------------------------------------------------------------------------- commands


def write_commands() -> str:
    """The page of the commands."""
    group = typer.main.get_command(app)
    commands: Mapping[str, Any] = group.commands  # type: ignore[attr-defined]
    reads = [name for name, command in commands.items() if reads_images(command)]
    lines = [COMMANDS, "| command | what it does |", "|---|---|"]
    lines += [f"| [{name}](#{name}) | {first_line(one)} |" for name, one in commands.items()]
    lines.append("")
    for name, command in commands.items():
        lines += describe_command(name, command)
    some = next(commands[name] for name in reads)
    lines += ["## Options of images", "How a command understands the images that it reads; " +
              ", ".join(f"`{name}`" for name in reads) + " have all of them.", ""]  # fmt: skip
    lines += tabulate_options([one for one in some.params if one.name in OPTIONS], some)
    return "\n".join(lines).rstrip() + "\n"


def reads_images(command: Any) -> bool:
    """Whether a command has the options that say how images are read."""
    return {"label_from", "group_by"} <= {one.name for one in command.params}


def first_line(command: Any) -> str:
    """The first sentence of a command's help."""
    return re.sub(r"\s+", " ", (command.help or "").split("\n\n")[0]).strip()


def describe_command(name: str, command: Any) -> Iterator[str]:
    """One command: what it does, its arguments and its options."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    context = command.make_context(name, [], resilient_parsing=True)
    yield f"## {name}"
    yield "```text"
    yield " ".join(["smallvision", name, *command.collect_usage_pieces(context)])
    yield "```"
    for part in filter(None, [command.help, command.epilog]):
        yield from show_help(part)
    if arguments:
        yield "| argument | meaning |\n|---|---|"
        for one in arguments:
            spelt, meaning = one.get_help_record(context)
            yield f"| {show_code(spelt)} | {clean(meaning)} |"
        yield ""
    shared = reads_images(command)
    own = [
        one
        for one in command.params
        if one.param_type_name == "option" and not (shared and one.name in OPTIONS)
    ]
    if own:
        yield from tabulate_options(own, command)
    if shared:
        yield "The [options of images](#options-of-images) say how the source is read.\n"


def show_help(text: str) -> Iterator[str]:
    """Paragraphs of help; a paragraph whose lines are kept, as examples are, becomes a block."""
    for paragraph in text.strip().split("\n\n"):
        if paragraph.startswith("\b"):
            block = paragraph.removeprefix("\b").strip("\n").split("\n")
            yield from ("```text", *block, "```")
        else:
            yield clean(paragraph)
        yield ""


def tabulate_options(options: Sequence[Any], command: Any) -> Iterator[str]:
    """A table of options."""
    context = command.make_context("x", [], resilient_parsing=True)
    yield "| option | meaning |\n|---|---|"
    for one in options:
        words = one.get_help_record(context)
        spelt, meaning = words if words else (one.opts[0], one.help or "")
        yield f"| {show_code(spelt)} | {clean(meaning)} |"
    yield ""


def clean(text: str | None) -> str:
    """Text on one line, none of which is markup."""
    return re.sub(r"([\\|*<])", r"\\\1", re.sub(r"\s+", " ", text or "").strip())


def show_code(text: str) -> str:
    """A word of a command, as code in a cell of a table."""
    return f"`{re.sub(r'[ ]+', ' ', text)}`".replace("|", "\\|")


PAGES: Mapping[str, Callable[[], str]] = {
    "RECIPES.md": write_recipes,
    "COMMANDS.md": write_commands,
}


def main() -> int:
    """Write the pages, or check that none is stale; returns the exit code."""
    stale = []
    for name, write in PAGES.items():
        page, text = FOLDER / name, write()
        if "--check" not in sys.argv:
            page.write_text(text, encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"{' and '.join(stale)} stale; run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
