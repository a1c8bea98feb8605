"""The examples in docstrings say what happens."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pydoc
import re
from pathlib import Path

import pytest

import smallvision

SOURCE = Path(smallvision.__file__).parent
WITH_EXAMPLES = [
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    for path in sorted(SOURCE.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


PAGE = SOURCE.parents[1] / "docs" / "API.md"
ON_THE_PAGE = re.findall(r"auto(?:function|class|exception):: (\S+)", PAGE.read_text("utf-8"))


@pytest.mark.parametrize("name", ON_THE_PAGE)
def test_every_entry_of_the_reference_has_an_example(name: str) -> None:
    entry = pydoc.locate(name if "." in name else f"smallvision.{name}")
    assert ">>>" in (inspect.getdoc(entry) or "")


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some train tiny networks into the working folder
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.attempted
    assert not results.failed
