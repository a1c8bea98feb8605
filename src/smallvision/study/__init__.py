"""Whole jobs: a run, a study, and the library's public functions."""

from smallvision.study.classification import Classification, classify
from smallvision.study.climb import run_study
from smallvision.study.comparison import compare_groups
from smallvision.study.ensemble import build_ensemble
from smallvision.study.explanation import explain, explain_run
from smallvision.study.library import distill, evaluate, explore, score_validation, train, tune
from smallvision.study.library import ensemble as ensemble_runs
from smallvision.study.narration import Narrator
from smallvision.study.outcome import Run, TestResult, Tuning
from smallvision.study.plan import Limits, StudyPlan

__all__ = [
    "Classification",
    "Limits",
    "Narrator",
    "Run",
    "StudyPlan",
    "TestResult",
    "Tuning",
    "build_ensemble",
    "classify",
    "compare_groups",
    "distill",
    "ensemble_runs",
    "evaluate",
    "explain",
    "explain_run",
    "explore",
    "run_study",
    "score_validation",
    "train",
    "tune",
]
