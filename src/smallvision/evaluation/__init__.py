"""The judge: the only room that can open a test set."""

from smallvision.evaluation.final import evaluate_on_test
from smallvision.evaluation.scorecard import score

__all__ = ["evaluate_on_test", "score"]
