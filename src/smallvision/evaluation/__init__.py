"""The judge: the only room that can open a test set."""

from smallvision.evaluation.scorecard import score
from smallvision.evaluation.final import evaluate_on_test

__all__ = ["evaluate_on_test", "score"]
