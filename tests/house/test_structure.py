"""Rules of the package's structure that no linter checks."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import smallvision

SOURCE = Path(smallvision.__file__).parent
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")}
MOST_PARAMETERS = 7
MOST_FILES = 13  # in a room; the command line has a file for each command
PUBLIC = {"api.py", "data/loading/load.py"}  # functions of many options


def list_functions() -> Iterator[tuple[str, str, int]]:
    """Every function: its file, its name and its number of parameters."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                a = node.args
                names = [one.arg for one in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
                number = len([name for name in names if name not in ("self", "cls")])
                yield path.relative_to(SOURCE).as_posix(), node.name, number


def test_no_function_takes_more_than_seven_parameters() -> None:
    """Commands and a few public functions have an option for each thing a person may want."""
    many = [
        (place, name)
        for place, name, number in list_functions()
        if number > MOST_PARAMETERS and not place.startswith("cli/") and place not in PUBLIC
    ]
    assert not many


def test_a_class_name_stands_for_one_class() -> None:
    homes = defaultdict(list)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(path.relative_to(SOURCE).as_posix())
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_rooms_are_small() -> None:
    files = defaultdict(list)
    for path in TREES:
        if path.name != "__init__.py":
            files[path.relative_to(SOURCE).parent.as_posix()].append(path.stem)
    large = {room: names for room, names in files.items() if len(names) > MOST_FILES}
    assert set(large) <= {"cli", "cli/render"}


def test_dicts_of_unknown_content_are_rare() -> None:
    """Records are objects; plain dicts are for JSON, recipes as TOML, and what torch wants."""
    text = "".join(path.read_text(encoding="utf-8") for path in TREES)
    assert text.count("dict[str, Any]") < 25
