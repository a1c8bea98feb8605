"""smallvision: from small images to a classifier you can defend.

The public names are those of `smallvision.api`, which is loaded when the first of them is used,
so that importing the package is quick.

>>> import smallvision as sv
>>> run = sv.train("digits", "mlp", settings=["epochs=1"])  # an epoch, to be done in a second
>>> sv.evaluate(run).record.n  # opens the test set, and writes that to the ledger
359
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smallvision.api import *  # noqa: F403

__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    # Tools that look around ask for names with underscores, and imports ask for modules first.
    asked_in_passing = name.startswith("_") and name != "__all__"
    if asked_in_passing or find_spec(f"smallvision.{name}") is not None:
        raise AttributeError(f"module 'smallvision' has no attribute {name!r}")
    api = import_module("smallvision.api")
    if name == "__all__":
        return [*api.__all__, "__version__"]
    if name not in api.__all__:
        raise AttributeError(f"module 'smallvision' has no attribute {name!r}")
    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted(__getattr__("__all__"))
