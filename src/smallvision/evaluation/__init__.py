"""Evaluation: the only room that can open a sealed test set."""

from smallvision.evaluation.error_analysis import (
    ERRORS,
    ErrorAnalysis,
    LabelledImages,
    analyse_errors,
)
from smallvision.evaluation.scorecard import score
from smallvision.evaluation.test_evaluation import FinalModel, evaluate_on_test

__all__ = [
    "ERRORS",
    "ErrorAnalysis",
    "FinalModel",
    "LabelledImages",
    "analyse_errors",
    "evaluate_on_test",
    "score",
]
