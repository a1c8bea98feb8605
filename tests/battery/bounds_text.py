"""Recipes, settings and records that claim depth, lengths and bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smallvision.recipes.overrides import override
from smallvision.recipes.settings.recipe import Recipe
from smallvision.recipes.toml import parse_recipe, read_recipe
from smallvision.records import store
from smallvision.records.schema import CachedPart
from tests.battery.bounds_case import Case, fifo, hole, link, put

MANY = 1_000_000


def list_text() -> Iterator[Case]:
    """Files, options and values."""
    yield from list_recipes()
    yield from list_options()
    yield from list_records()


def list_recipes() -> Iterator[Case]:
    """Recipes as files."""
    deep, most = "nested too deeply", "expected at most 64,000"
    texts: dict[str, tuple[str, str | None]] = {
        "lists 5,000 deep": ("augment = " + "[" * 5000 + "]" * 5000, deep),
        "lists 70 deep": ("augment = " + "[" * 70 + "]" * 70, "more than 64 levels"),
        "tables 5,000 deep": ("model = " + "{a = " * 5000 + "1" + "}" * 5000, deep),
        "a key of 5,000 parts": (".".join(["a"] * 5000) + " = 1", deep),
        "a quoted key of 5,000 parts": (".".join(['"a"'] * 5000) + " = 1", deep),
        "a spaced key of 5,000 parts": (" . ".join(["a"] * 5000) + " = 1", deep),
        "a table of 5,000 parts": ("[" + ".".join(["a"] * 5000) + "]", deep),
        "a list of tables of 5,000 parts": ("[[" + ".".join(["a"] * 5000) + "]]", deep),
        "a deep table of many keys": (
            "[" + ".".join(["a"] * 9_000) + "]\n" + "".join(f"k{i} = 1\n" for i in range(4000)),
            deep,
        ),
        "a deep key in a table in a line": ("a = {" + ".".join(["a"] * 5000) + " = 1}", deep),
        "33 augmentations": (f"augment = {['flip'] * 33}", "augment is "),
        "15,000 augmentations": (f"augment = {[1] * 15_000}", "at most 32 entries"),
        "65 layers": (f"[model]\nname = 'mlp'\nhidden = {[1] * 65}", "at most 64 entries"),
        "65 widths": (f"[model]\nname = 'speednet'\nwidths = {[1] * 65}", "at most 64 entries"),
        "33 phases": (
            "[[random_crop_phase]]\nuntil = 0.5\nside = 16\n" * 33,
            "at most 32 entries",
        ),
        "three areas": (
            "[[augment]]\nname = 'random_erasing'\narea = " + str([1] * 9000),
            "at most 2 items",
        ),
        "a number of 60,000 digits": ("epochs = 0x" + "f" * 60_000, "a value beyond all bounds"),
        "a number of 60,000 plain digits": ("epochs = " + "9" * 60_000, "cannot be read"),
        "a key of 60,000 characters": ("k" * 60_000 + " = 1", "unknown setting 'kkk"),
        "a name of 60,000 characters": (f"name = '{'n' * 60_000}'", "at most 100 characters"),
        "a model of 60,000 characters": (
            f"model = {{name = '{'n' * 60_000}'}}",
            "unknown model.name",
        ),
        "70 kB of comments": ("# a comment\n" * 6000, most),
        "1 MB of a list": (f"augment = {['flip'] * 120_000}", most),
        "a text without an end": ("name = '''" + '\\"' * 25_000, "cannot be read"),
        "quotes that open and open": ('name = "' + '\\"' * 30_000, "cannot be read"),
        "7,000 tables": ("".join(f"[t{i}]\n" for i in range(7000)), "unknown setting 't0'"),
        "as it should be": ("epochs = 3\naugment = ['flip', 'crop']\n", None),
        "32 augmentations": (f"augment = {['flip'] * 32}", None),
        "50 kB of comments": ("# ......................... [[[ a note\n" * 1000, None),
    }
    for name, (text, says) in texts.items():
        yield Case("recipe", name, put("it.toml", text.encode()), read_recipe, says)
    yield Case("recipe", "no text", put("it.toml", b"name = '\xff'"), read_recipe, "utf-8")
    yield Case("recipe", "10 GB of nothing", hole("it.toml", 10**10), read_recipe, most)
    yield Case("recipe", "a pipe", fifo("it.toml"), read_recipe, "no regular file")
    endless = link("it.toml", "/dev/zero")
    yield Case("recipe", "a link to an endless device", endless, read_recipe, "no regular file")
    yield Case("recipe", "a folder", lambda at: at, read_recipe, "no regular file")


def list_options() -> Iterator[Case]:
    """Settings of the command line, and those that a program gives."""
    deep = "[" * 5000
    options: dict[str, tuple[str, str | None]] = {
        "brackets": (f"augment={deep}", "augment is '[[["),
        "lists": (f"augment={deep}{']' * 5000}", "augment is '[[["),
        "a deep table": ("model.width={" + "a." * 5000 + "a=1}", "model.width is '{a.a."),
        "a deep key": ("a." * 50_000 + "a=1", "unknown setting 'a.a."),
        "a long key": ("k" * MANY + "=1", "unknown setting 'kkk"),
        "a long value": (f"name={'n' * MANY}", "at most 100 characters"),
        "no sign": ("k" * MANY, "is no setting"),
        "a long list": (f"augment={['flip'] * 33}", "at most 32 entries"),
        "a list of 160 kB": (f"augment={['flip'] * 20_000}", "augment is \"['flip', 'flip'"),
        "a long number": ("epochs=0x" + "f" * 60_000, "a value beyond all bounds"),
        "as it should be": ("epochs=3", None),
    }
    for name, (text, says) in options.items():
        change = lambda at: override(Recipe(), [at.read_text()])  # noqa: E731
        yield Case("option", name, put("option", text.encode()), change, says)
    for name, (build, says) in list_values().items():
        parse = lambda _, b=build: parse_recipe(b())  # noqa: E731
        yield Case("option", f"a program's {name}", lambda at: at, parse, says)


def list_values() -> dict[str, tuple[Callable[[], Mapping[str, Any]], str]]:
    """What makes values that no file could hold."""
    layers = "model.hidden is a list of 1,000,000"
    return {
        "10^6 augmentations": (lambda: {"augment": ["flip"] * MANY}, "augment is a list of"),
        "10^6 layers": (lambda: {"model": {"name": "mlp", "hidden": [1] * MANY}}, layers),
        "10^6 words": (lambda: {"model": {"name": "mlp", "hidden": ["a"] * MANY}}, layers),
        "10^6 phases": (lambda: {"random_crop_phase": [{}] * MANY}, "random_crop_phase is a list"),
        "depth of 100,000": (lambda: {"epochs": nest(100_000)}, "a value beyond all bounds"),
        "deep augmentation": (lambda: {"augment": [nest(100_000)]}, "augment.0 has no name"),
    }


def nest(depth: int) -> dict[str, Any]:
    """Tables in tables."""
    outer: dict[str, Any] = {}
    inner = outer
    for _ in range(depth):
        inner["a"] = {}
        inner = inner["a"]
    return outer


def list_records() -> Iterator[Case]:
    """Records that nest."""
    read = lambda path: store.read(path, CachedPart)  # noqa: E731
    lines = lambda path: store.read_lines(path, CachedPart)  # noqa: E731
    deep = "nested too deeply"
    texts: dict[str, tuple[str, str]] = {
        "lists 65 deep": ("[" * 65 + "]" * 65, deep),
        "lists 5,000 deep": ("[" * 5000 + "]" * 5000, deep),
        "tables 5,000 deep": ('{"a":' * 5000 + "1" + "}" * 5000, deep),
        "300,000 brackets": ("[" * 300_000, deep),
        "a list 900 deep in a field": ('{"n": ' + "[" * 900 + "]" * 900 + "}", deep),
        "64 deep": ("[" * 64 + "]" * 64, "is no JSON object"),
        "brackets in a text": ('{"a[[": "' + "[" * 5000 + '"}', "'stamp' is missing"),
        "quotes that open and open": ('"\\"' * 300_000, "is damaged"),
        "10^6 pairs of brackets": (
            "[" + "[]," * MANY + "[]]",
            "more than 200,000 lists and tables",
        ),
    }
    for name, (text, says) in texts.items():
        yield Case("json", name, put("it.json", text.encode()), read, says)
    line = b"[" * 5000 + b"]" * 5000 + b"\n"
    yield Case("json", "a line 5,000 deep", put("it.jsonl", line), lines, deep)
