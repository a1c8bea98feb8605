"""Whole jobs: a run, a study, and the library's public functions."""

from smallvision.study.climb import Limits, Narrator, StudyPlan, run_study
from smallvision.study.library import Run, TestResult, evaluate, explore, train

__all__ = [
    "Limits",
    "Narrator",
    "Run",
    "StudyPlan",
    "TestResult",
    "evaluate",
    "explore",
    "run_study",
    "train",
]
