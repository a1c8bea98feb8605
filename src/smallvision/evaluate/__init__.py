"""The judge: the only room that can open a test set."""

from smallvision.evaluate.scorecard import score
from smallvision.evaluate.final import evaluate_on_test

__all__ = ["evaluate_on_test", "score"]
