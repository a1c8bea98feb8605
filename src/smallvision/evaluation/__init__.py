"""The judge: the only room that can open a test set."""

from smallvision.evaluation.error_analysis import ERRORS, ErrorAnalysis, analyse_errors
from smallvision.evaluation.scorecard import score
from smallvision.evaluation.test_evaluation import evaluate_on_test

__all__ = ["ERRORS", "ErrorAnalysis", "analyse_errors", "evaluate_on_test", "score"]
