"""Names of folders are data: whatever they hold, the lines stay the commands that they are."""

from __future__ import annotations

import ast
import shlex

import pytest

from smallvision.reporting.sections.first_screen.usage import describe_usage


@pytest.mark.parametrize("name", ["cifar10-laptop", "my study", "-n", "it's", "$(reboot)", 'a"b'])
def test_names_of_folders_are_quoted(name: str) -> None:
    usage = describe_usage(name)
    folder = f"./{name}" if name.startswith("-") else name
    assert shlex.split(usage.install) == ["pip", "install", ".[serve,export]"]
    commands = [line for line in usage.shell.splitlines() if not line.startswith("#")]
    assert [shlex.split(line)[:3] for line in commands] == [
        ["smallvision", command, folder] for command in ("classify", "serve", "export")
    ]
    calls = [node for node in ast.walk(ast.parse(usage.python)) if isinstance(node, ast.Call)]
    assert ast.literal_eval(calls[0].args[0]) == folder
