"""The judge: the only room that can open a test set."""

from smallvision.evaluation.errors import ERRORS, ErrorAnalysis, analyse_errors
from smallvision.evaluation.final import evaluate_on_test
from smallvision.evaluation.scorecard import score

__all__ = ["ERRORS", "ErrorAnalysis", "analyse_errors", "evaluate_on_test", "score"]
