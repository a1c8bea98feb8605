"""What no file of the package may do, read from its source."""

from __future__ import annotations

import re
from pathlib import Path

import smallvision

SOURCE = Path(smallvision.__file__).parent

# Each can run code or write files that came from outside. Right of the colon: who may.
DANGERS = {
    r"\bpickle\.(load|loads|Unpickler)\b": {"data/decoding/pickles.py"},
    r"\bimport (pickle|dill|joblib|shelve|marshal)\b": {"data/decoding/pickles.py"},
    r"\ballow_pickle=True": set(),
    r"\bextractall\b|\bextract\(": set(),
    r"(?<![\w.])(eval|exec|compile|__import__)\(": set(),
    r"\btorch\.load\(|weights_only=False": set(),
    r"\byaml\.load\(|\bshell=True|\bos\.system\(": set(),
}


def test_nothing_runs_what_it_reads():
    for danger, allowed in DANGERS.items():
        users = {
            path.relative_to(SOURCE).as_posix()
            for path in SOURCE.rglob("*.py")
            if re.search(danger, path.read_text(encoding="utf-8"))
        }
        assert users <= allowed, danger


def test_no_reader_breaks_the_seal():
    users = {
        path.name
        for path in (SOURCE / "data").rglob("*.py")
        if "open_sealed_test" in path.read_text(encoding="utf-8")
    }
    assert users <= {"sealed_test.py", "__init__.py"}
