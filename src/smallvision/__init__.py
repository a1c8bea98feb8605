"""smallvision: from small images to a classifier you can defend.

The names below load what they need on first use, so that importing the package is quick.

>>> import smallvision as sv
>>> run = sv.train("digits", "wrn-aug", preset="quick")  # doctest: +SKIP
>>> sv.evaluate(run, "digits")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smallvision.data.arrays import from_arrays as from_arrays
    from smallvision.data.load import load_data as load_data
    from smallvision.errors import UserError as UserError
    from smallvision.predict import load_model as load_model
    from smallvision.reporting import write_report as report
    from smallvision.study import Limits as Limits
    from smallvision.study import StudyPlan as StudyPlan
    from smallvision.study import classify as classify
    from smallvision.study import compare_groups as compare
    from smallvision.study import distill as distill
    from smallvision.study import ensemble_runs as ensemble
    from smallvision.study import evaluate as evaluate
    from smallvision.study import explain as explain
    from smallvision.study import explore as explore
    from smallvision.study import run_study as run_study
    from smallvision.study import train as train
    from smallvision.study import tune as tune

_HOMES = {
    "Limits": ("smallvision.study", "Limits"),
    "StudyPlan": ("smallvision.study", "StudyPlan"),
    "UserError": ("smallvision.errors", "UserError"),
    "distill": ("smallvision.study", "distill"),
    "classify": ("smallvision.study", "classify"),
    "ensemble": ("smallvision.study", "ensemble_runs"),
    "compare": ("smallvision.study", "compare_groups"),
    "evaluate": ("smallvision.study", "evaluate"),
    "explain": ("smallvision.study", "explain"),
    "explore": ("smallvision.study", "explore"),
    "from_arrays": ("smallvision.data.arrays", "from_arrays"),
    "load_data": ("smallvision.data.load", "load_data"),
    "load_model": ("smallvision.predict", "load_model"),
    "report": ("smallvision.reporting", "write_report"),
    "run_study": ("smallvision.study", "run_study"),
    "train": ("smallvision.study", "train"),
    "tune": ("smallvision.study", "tune"),
}

__version__ = "0.1.0"
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'smallvision' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
