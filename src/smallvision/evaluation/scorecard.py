"""The scores of predictions: accuracy with interval, class by class, and the confusions."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from smallvision.records.schema import ClassScore, MacroAverages, Scores
from smallvision.shapes import Floats, Labels
from smallvision.stats.probabilities.calibration import top_k_accuracy
from smallvision.stats.rates import rate_accuracy

TOP = (2, 5)  # the label among the two, and the five, most probable classes


def score(probabilities: Floats, labels: Labels, class_names: tuple[str, ...]) -> Scores:
    """Score predictions against labels.

    Args:
        probabilities: `(N, K)`.
        labels: `(N,)`.
        class_names: K names.

    Returns: the scores; a class that is never predicted has a precision of 0, and one without
        images counts in no macro average.
    """
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    *figures, support = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    per_class = tuple(
        ClassScore(name=name, precision=p, recall=r, f1=f, support=int(n))
        for name, p, r, f, n in zip(class_names, *figures, support, strict=True)
    )
    means = (float(np.mean(values[support > 0])) for values in figures)
    confusion = confusion_matrix(labels, predicted, labels=classes).tolist()
    return rate_accuracy(probabilities, labels).extend(
        Scores,
        topk={
            str(k): top_k_accuracy(probabilities, labels, k) for k in TOP if k < len(class_names)
        },
        class_names=class_names,
        per_class=per_class,
        macro=MacroAverages(**dict(zip(("precision", "recall", "f1"), means, strict=True))),
        confusion=tuple(map(tuple, confusion)),
    )
