"""Every command ends its help with examples that parse; alone, the program says how to begin."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer

from smallvision.cli.examples import BEGIN, EXAMPLES
from smallvision.cli.main import app
from tests.support.commands import call_command

GROUP: Any = typer.main.get_command(app)
LINES = [(name, rest) for name, examples in EXAMPLES.items() for rest, _ in examples]


def test_every_command_has_examples() -> None:
    assert set(EXAMPLES) == set(GROUP.commands)
    assert min(map(len, EXAMPLES.values())) >= 2


@pytest.mark.parametrize(("name", "rest"), LINES)
def test_an_example_parses(name: str, rest: str) -> None:
    GROUP.commands[name].make_context(name, shlex.split(rest))


def test_a_wrong_example_would_be_noticed() -> None:
    for rest in ("digits --no-such-option", "", "digits mlp --seeds none"):
        with pytest.raises(Exception, match=r"."):
            GROUP.commands["tune" if rest else "show"].make_context("x", shlex.split(rest))


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_shows_each_example_on_a_line_of_its_own(name: str) -> None:
    outcome = call_command(name, "--help")
    assert outcome.code == 0
    lines = [line.strip() for line in outcome.out.splitlines()]
    for rest, what in EXAMPLES[name]:
        start = f"smallvision {name} {rest}".strip()
        assert any(line.startswith(start) for line in lines), start
        assert any(line.endswith(what) for line in lines), what
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_alone_it_shows_the_three_commands_of_a_newcomer() -> None:
    outcome = call_command()
    assert (outcome.code, outcome.err) == (0, "")
    assert len(BEGIN) == 3
    for rest, what in BEGIN:
        assert f"smallvision {rest}" in outcome.out
        assert what in outcome.out
        GROUP.commands[rest.split()[0]].make_context("x", rest.split()[1:])
    assert "smallvision --help" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
