"""What the package runs on, as `requirements.lock` has it: `python tools/list_runtime.py torch==…`.

Prints the entries of the lock, hashes included, that an install of `smallvision[hub]` takes on this
machine, and what is named on the command line, which the lock leaves out. `make dist` makes a
software bill of materials of it.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[1] / "requirements.lock"


def read_lock(text: str) -> dict[str, str]:
    """The entries of a lock: name -> `name==version` and its hashes, over several lines."""
    entries = re.finditer(r"^([a-z0-9.-]+)==.*(?:\n    --hash=.*)+", text, re.MULTILINE)
    return {entry[1]: entry[0] for entry in entries}


def find_runtime(requirement: Requirement, found: dict[str, Requirement]) -> None:
    """Add what an installed package needs, and what that needs, to what was found."""
    for text in requires(requirement.name) or ():
        needed = Requirement(text)
        extras = requirement.extras or {""}
        if needed.marker and not any(needed.marker.evaluate({"extra": e}) for e in extras):
            continue
        name = canonicalize_name(needed.name)
        if name not in found:
            found[name] = needed
            find_runtime(needed, found)


def list_runtime(named: list[str]) -> list[str]:
    """Entries of the lock, and those that are named in its stead, by name.

    Raises:
        SystemExit: a package is in neither.
    """
    entries = read_lock(LOCK.read_text(encoding="utf-8"))
    entries |= {canonicalize_name(Requirement(text).name): text for text in named}
    found: dict[str, Requirement] = {}
    find_runtime(Requirement("smallvision[hub]"), found)
    if unknown := sorted(found.keys() - entries.keys()):
        sys.exit(f"{LOCK.name} lacks {', '.join(unknown)}; make it anew with `make lock`")
    return [entries[name] for name in sorted(found)]


if __name__ == "__main__":
    print("\n".join(list_runtime(sys.argv[1:])))
