"""Deep text is refused before anything is called for each level."""

from __future__ import annotations

import time

import pytest

from smallvision.records import nesting
from smallvision.records.nesting import check_depth, load_toml


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_depth_is_counted(pair):
    check_depth(pair[0] * 64 + pair[1] * 64)
    check_depth((pair[0] * 64 + pair[1] * 64) * 100)
    with pytest.raises(ValueError, match="more than 64 levels"):
        check_depth(pair[0] * 65 + pair[1] * 65)


def test_brackets_in_texts_do_not_count():
    check_depth('{"a": "' + "[" * 1000 + '", "b\\"' + "[" * 1000 + '": "\\\\"}')
    with pytest.raises(ValueError, match="levels"):
        check_depth('"\\\\"' + "[" * 65)


def test_lists_and_tables_are_counted(monkeypatch):
    monkeypatch.setattr(nesting, "MAX_CONTAINERS", 10)
    check_depth("[]" * 10)
    with pytest.raises(ValueError, match="more than 10 lists and tables"):
        check_depth("[]" * 10 + "[")


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 200_000, '"a\\' * 200_000, '["' * 30 + "\\" * 200_000]
)
def test_the_time_is_that_of_the_length(text):
    began = time.process_time()
    check_depth(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 65 + "]" * 65,
        ".".join(["a"] * 66) + " = 1",
        "[" + ".".join(["a"] * 66) + "]",
        "a = {" + " . ".join(["'a'"] * 66) + " = 1}",
    ],
)
def test_toml_that_is_nested_too_deeply(text):
    with pytest.raises(ValueError, match="nested too deeply"):
        load_toml(text)


def test_toml_as_it_is_written():
    text = "# ........ [[[[ " * 100 + "\na = [[1], [2]]\n" + ".".join(["b"] * 64) + " = 1\n"
    assert load_toml(text)["a"] == [[1], [2]]


def test_toml_has_a_length(monkeypatch):
    monkeypatch.setattr(nesting, "MAX_TOML_BYTES", 5)
    assert load_toml("a = 1") == {"a": 1}
    with pytest.raises(ValueError, match="6 characters; expected at most 5"):
        load_toml("a = 12")
