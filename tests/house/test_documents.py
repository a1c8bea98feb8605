"""The documents name what exists: commands, Python names, messages, pages, settings.

The examples in docstrings run (`test_examples.py`); commands here are parsed as the command line
would, without being done.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import smallvision as sv
from smallvision.cli.main import app
from smallvision.recipes.ladder import build_cifar10_ladder, find_rung
from smallvision.recipes.overrides import override

ROOT = Path(sv.__file__).parents[2]
DOCS = ROOT / "docs"
GENERATED = {"RECORDS.md", "COMMANDS.md"}  # from the source itself
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in DOCS.rglob("*.md") if path.name not in GENERATED),
]
IDS = [path.relative_to(ROOT).as_posix() for path in PAGES]
FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
GROUP: Any = typer.main.get_command(app)
ELLIPSIS = "…"
PLACEHOLDERS = {"T": "0.94", "N": "2"}


def find_blocks(text: str, *kinds: str) -> list[str]:
    """The fenced blocks of some kinds."""
    return [textwrap.dedent(block) for kind, block in FENCE.findall(text) if kind in kinds]


def find_commands(text: str) -> Iterator[list[str]]:
    """The words of each command of ours, in shell blocks and in prose."""
    prose = FENCE.sub("", text)
    lines = [line for block in find_blocks(text, "sh", "bash") for line in join_lines(block)]
    lines += re.findall(r"`(smallvision [^`]+)`", prose)
    for line in lines:
        words = shlex.split(line.replace(ELLIPSIS, "X"), comments=True)
        ends = [i for i, word in enumerate(words) if word in {"|", "&&", ">"}]
        for start, end in zip([-1, *ends], [*ends, len(words)], strict=True):
            command = words[start + 1 : end]
            if "-m" in command:  # torchrun and python
                command = command[command.index("-m") + 1 :]
            if command[:1] == ["smallvision"] and command[1:]:
                yield [PLACEHOLDERS.get(word, word) for word in command[1:]]


def join_lines(block: str) -> list[str]:
    """The lines of a shell block, continued ones joined; what `ssh` is told counts as a line."""
    lines = block.replace("\\\n", " ").split("\n")
    return [line for one in lines for line in [one, *re.findall(r"ssh \w+ '([^']+)'", one)]]


def parse(words: list[str]) -> None:
    """Parse a command as the command line would, and check the settings that it overrides."""
    name, *rest = words
    if name.startswith("--") or name.isupper():  # an option of the program, or a placeholder
        return
    command = GROUP.commands[name]
    if not rest:
        return  # named in prose
    if "--help" in rest:
        return
    values = command.make_context(name, list(rest)).params
    settings = [one for one in values.get("settings") or () if not {"KEY=VALUE"} & {one}]
    rung = values.get("recipe")
    ladder = build_cifar10_ladder(3600)
    recipe = find_rung(ladder, "wrn-aug").recipe
    if rung and str(rung).islower() and not str(rung).endswith(".toml"):
        recipe = find_rung(ladder, str(rung)).recipe
    override(recipe, settings)


@pytest.mark.parametrize("path", [one for one in PAGES if one.name != "CONTRIBUTING.md"], ids=str)
def test_every_command_parses(path: Path) -> None:
    for words in find_commands(path.read_text(encoding="utf-8")):
        try:
            parse(words)
        except Exception as error:
            pytest.fail(f"smallvision {shlex.join(words)}: {error!r}")


def test_a_command_with_a_wrong_option_or_setting_is_noticed() -> None:
    for line in (
        "train digits --seed 3", "train digits no-such-rung", "explroe digits",
        "train digits --set epoch=3", "train digits --set optimizer.lr=-1", "evaluate",
    ):  # fmt: skip
        (words,) = find_commands(f"```sh\nsmallvision {line}  # comment\n```")
        if words != ["evaluate"]:
            with pytest.raises(Exception, match=r"."):
                parse(words)


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_every_target_of_make_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = path.read_text(encoding="utf-8")
    shown = "\n".join([*find_blocks(text, "sh", "bash"), *re.findall(r"`(make [^`]+)`", text)])
    assert {*re.findall(r"\bmake ([a-z-]+)", shown)} <= targets


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_python_names_what_exists(path: Path) -> None:
    for block in find_blocks(path.read_text(encoding="utf-8"), "python"):
        tree = ast.parse(block)
        for call in [one for one in ast.walk(tree) if isinstance(one, ast.Call)]:
            if (name := find_public(call.func)) is not None:
                arguments = inspect.signature(getattr(sv, name)).parameters
                named = {one.arg for one in call.keywords} - {None}
                assert named <= set(arguments), f"sv.{name} does not take {named - set(arguments)}"
        for node in ast.walk(tree):
            if (name := find_public(node)) is not None:
                assert hasattr(sv, name), f"sv.{name}"


def find_public(node: ast.AST) -> str | None:
    """`name` where a node is `sv.name`."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    return node.attr if node.value.id == "sv" else None


def list_messages() -> list[str]:
    """All texts of the source, with an ellipsis for what is filled in."""
    found = []
    for path in Path(sv.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    one.value if isinstance(one, ast.Constant) else ELLIPSIS for one in node.values
                ]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def test_every_message_of_troubleshooting_is_one_of_the_source() -> None:
    text = (DOCS / "TROUBLESHOOTING.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^- `([^`]+)`", text, re.MULTILINE)
    messages = list_messages()
    assert len(quoted) > 50
    for message in quoted:
        parts = [re.escape(part) for part in message.split(ELLIPSIS)]
        pattern = re.compile(".*?".join(parts), re.DOTALL)
        assert any(pattern.search(one) for one in messages), message


def test_every_page_is_in_the_index() -> None:
    """A page that no table of contents names is a page that nobody finds."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for path in DOCS.rglob("*.md"):
        name = path.relative_to(DOCS).with_suffix("").as_posix()
        assert name == "index" or re.search(rf"^{name}$", index, re.MULTILINE), name


def load_script(name: str) -> ModuleType:
    """A script of docs/, as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_that_of_the_source() -> None:
    for name, write in load_script("generate_reference").PAGES.items():
        assert (DOCS / name).read_text(encoding="utf-8") == write(), "`make docs` writes it again"


def test_the_reference_names_every_setting_and_option() -> None:
    commands = (DOCS / "COMMANDS.md").read_text(encoding="utf-8")
    recipes = (DOCS / "RECIPES.md").read_text(encoding="utf-8")
    for command in GROUP.commands.values():
        for option in command.params:
            if option.param_type_name == "option" and option.name != "help":
                assert option.opts[0] in commands
    for name in ("optimizer.lr", "schedule.cycle_mult", "model.se_ratio", "stopping.patience"):
        assert f"`{name}`" in recipes


def test_broken_links_of_a_site_are_found(tmp_path: Path) -> None:
    page = '<a href="other.html#there">x</a><a href="#here">y</a><p id="here"></p>'
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "other.html").write_text('<p id="there"></p><a href="https://example.org">z</a>')
    find_faults = load_script("check_site").find_faults
    assert find_faults(tmp_path) == []
    (tmp_path / "index.html").write_text(page + '<a href="gone.html">x</a><a href="#no">y</a>')
    (tmp_path / "third.html").write_text('<script src="https://example.org/a.js"></script>')
    assert len(find_faults(tmp_path)) == 3
