"""Whole jobs: a run, a study, and the library's public functions."""

from smallvision.study.climb import run_study
from smallvision.study.library import evaluate, explore, train, tune
from smallvision.study.narration import Narrator
from smallvision.study.outcome import Run, TestResult, Tuning
from smallvision.study.plan import Limits, StudyPlan

__all__ = [
    "Limits",
    "Narrator",
    "Run",
    "StudyPlan",
    "TestResult",
    "Tuning",
    "evaluate",
    "explore",
    "run_study",
    "train",
    "tune",
]
