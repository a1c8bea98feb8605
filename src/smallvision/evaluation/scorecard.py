"""The judgement on one model: accuracy with interval, class by class, and the confusions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from smallvision.shapes import Floats, Labels
from smallvision.stats import rate_accuracy
from smallvision.stats.calibration import top_k_accuracy

FIGURES = ("precision", "recall", "f1")
TOP = (2, 5)  # the label among the two, and the five, most probable classes


def score(probabilities: Floats, labels: Labels, class_names: tuple[str, ...]) -> dict[str, Any]:
    """Score predictions against labels.

    Args:
        probabilities: `(N, K)`.
        labels: `(N,)`.
        class_names: K names.

    Returns: the figures of `test.json`; a class that is never predicted has a precision of 0, and
        one without images counts in no macro average.
    """
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    *figures, support = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    per_class = [
        {
            "name": name,
            **{figure: float(values[k]) for figure, values in zip(FIGURES, figures, strict=True)},
            "support": int(support[k]),
        }
        for k, name in enumerate(class_names)
    ]
    return {
        **rate_accuracy(probabilities, labels),
        "topk": {
            str(k): top_k_accuracy(probabilities, labels, k) for k in TOP if k < len(class_names)
        },
        "class_names": list(class_names),
        "per_class": per_class,
        "macro": {
            figure: float(np.mean(values[support > 0]))
            for figure, values in zip(FIGURES, figures, strict=True)
        },
        "confusion": confusion_matrix(labels, predicted, labels=classes).tolist(),
    }
