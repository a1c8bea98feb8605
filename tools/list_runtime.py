"""Entries of `requirements.lock`, hashes included, that something runs on, on this machine.

`python tools/list_runtime.py torch==…` prints those of an install of the package with all that it
offers, and what is named on the command line, which the lock leaves out; `make dist` makes a
software bill of materials of it. With `--server` they are those of the container of the server,
which has no torch; `make lock` writes them to `container/requirements.txt`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
SERVER = ROOT / "container" / "requirements.in"
PACKAGE = "smallvision[export,hub,parquet,serve]"


def read_lock(text: str) -> dict[str, str]:
    """The entries of a lock: name -> `name==version` and its hashes, over several lines."""
    entries = re.finditer(r"^([a-z0-9.-]+)==.*(?:\n    --hash=.*)+", text, re.MULTILINE)
    return {entry[1]: entry[0] for entry in entries}


def read_server() -> list[str]:
    """What the server asks for itself."""
    lines = SERVER.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def find_runtime(requirement: Requirement, found: dict[str, Requirement]) -> None:
    """Add what an installed package needs, and what that needs, to what was found."""
    for text in requires(requirement.name) or ():
        needed = Requirement(text)
        extras = requirement.extras or {""}
        if needed.marker and not any(needed.marker.evaluate({"extra": e}) for e in extras):
            continue
        name = canonicalize_name(needed.name)
        if name == requirement.name:  # an extra that is made of others
            find_runtime(needed, found)
        elif name not in found:
            found[name] = needed
            find_runtime(needed, found)


def list_runtime(asked: Iterable[str], named: Iterable[str] = ()) -> list[str]:
    """Entries of the lock, and those that are named in its stead, by name.

    Args:
        asked: requirements; what they need is listed, and they themselves but for this package.
        named: `name==version` of what the lock leaves out.

    Raises:
        SystemExit: a package is in neither.
    """
    entries = read_lock(LOCK.read_text(encoding="utf-8"))
    entries |= {canonicalize_name(Requirement(text).name): text for text in named}
    found: dict[str, Requirement] = {}
    for text in asked:
        requirement = Requirement(text)
        if requirement.name != "smallvision":
            found[canonicalize_name(requirement.name)] = requirement
        find_runtime(requirement, found)
    if unknown := sorted(found.keys() - entries.keys()):
        sys.exit(f"{LOCK.name} lacks {', '.join(unknown)}; make it anew with `make lock`")
    return [entries[name] for name in sorted(found)]


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments == ["--server"]:
        print("\n".join(list_runtime(read_server())))
    else:
        print("\n".join(list_runtime([PACKAGE], arguments)))
