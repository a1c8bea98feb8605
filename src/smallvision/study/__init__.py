"""Whole jobs: a run, a study, and the library's public functions."""

from smallvision.study.climb import run_study
from smallvision.study.comparison import compare_groups
from smallvision.study.library import evaluate, explore, train
from smallvision.study.narration import Narrator
from smallvision.study.outcome import Run, TestResult
from smallvision.study.plan import Limits, StudyPlan

__all__ = [
    "Limits",
    "Narrator",
    "Run",
    "StudyPlan",
    "TestResult",
    "compare_groups",
    "evaluate",
    "explore",
    "run_study",
    "train",
]
