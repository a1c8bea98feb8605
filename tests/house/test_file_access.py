"""What lies inside folders of records is opened by `records.nofollow` alone."""

from __future__ import annotations

import ast
from pathlib import Path

import smallvision

PACKAGE = Path(smallvision.__file__).parent
# Of paths, `os` and `shutil`: each of them follows links.
FOLLOWING = {
    *("read_text", "read_bytes", "write_text", "write_bytes", "open", "touch", "mkdir", "makedirs"),
    *("exists", "is_file", "is_dir", "stat", "iterdir", "glob", "rglob", "listdir", "scandir"),
    *("unlink", "rmtree", "copytree", "copyfile"),
}
# Files of the package itself, of the system and of data sets, which a person names.
ELSEWHERE = ("data/", "compute/", "records/nofollow.py")
# What a person names may be a link: an output folder, a recipe, the root of a search for runs.
NAMED = {
    "about/sheet.py": {"stat"},  # the size of a file that has been checked
    "cli/classify.py": {"open"},  # the table that --csv names
    "cli/main.py": {"open"},  # the null device
    "cli/watch.py": {"open"},  # a page in a browser
    "ensembles/build.py": {"exists", "is_dir"},
    "ensembles/candidates.py": {"stat"},  # the size of a file that has been checked
    "records/model_folders.py": {"glob"},
    "exporting/stage.py": {"exists", "is_dir"},
    "records/files.py": {"open"},  # a folder, to sync it
    "records/layout.py": {"exists", "glob", "rglob", "is_dir"},
    "records/locks.py": {"exists", "is_dir"},
    "reporting/notebook.py": {"read_text"},  # of a `Folder`
    "reporting/page.py": {"read_text"},  # the template
    "reporting/reader.py": {"read_text"},  # of a `Folder`
    "serving/exports.py": {"is_file"},
    "serving/kept.py": {"listdir", "mkdir", "open", "unlink"},  # by descriptors of `nofollow.enter`
    "serving/page.py": {"read_bytes"},  # its own files
    "tracking/mirror.py": {"exists", "makedirs", "open"},  # in a store
    "tuning/storage.py": {"is_dir"},  # a database that SQLite opens by its name
    "watching/watcher.py": {"exists", "is_dir"},
    "runs/measure.py": {"stat"},  # the size of a file that has just been written
}


def test_only_one_module_opens_what_lies_in_records() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if place.startswith(ELSEWHERE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in FOLLOWING:
                found.setdefault(place, set()).add(node.func.attr)
    assert found == NAMED
