"""What is counted of answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallvision.cli.render.classification import AnswerPrinter
from smallvision.cli.render.console import open_console
from smallvision.runs.classify import Answer


@pytest.mark.parametrize(
    ("classes", "known"), [(("a", "b"), 1), (("greek/a", "korean/a"), 1), (("korean/a", "b"), 0)]
)
def test_one_or_two_folders_tell_what_is_right(classes: tuple[str, str], known: int) -> None:
    printer = AnswerPrinter(classes, open_console(), top=1, least=0)
    printer.count(Answer(Path("/sets/greek/a/0.png"), np.array([0.9, 0.1], np.float32)))
    assert (printer.known, printer.right) == (known, known)
