"""Memory that tensors give back."""

from collections.abc import Callable

import pytest

from smallvision.compute import memory


@pytest.mark.parametrize(
    ("most", "asked"),
    [(2**30, [(-3, 2**30), (-1, 2**31 - 1)]), (2**25, [(-3, 2**30), (-4, 0), (-1, 2**31 - 1)])],
    ids=["glibc", "glibc before 2.35"],
)
def test_freed_memory_is_kept(
    monkeypatch: pytest.MonkeyPatch, most: int, asked: list[tuple[int, int]]
) -> None:
    calls = []

    class Library:
        def __init__(self, _name: None) -> None: ...

        def mallopt(self, parameter: int, value: int) -> int:
            calls.append((parameter, value))
            return int(parameter != -3 or value <= most)

    monkeypatch.setattr(memory.ctypes, "CDLL", Library)
    memory.keep_freed_memory()
    assert calls == asked


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_other_systems_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception]
) -> None:
    def refuse(_name: None) -> None:
        raise error

    monkeypatch.setattr(memory.ctypes, "CDLL", refuse)
    memory.keep_freed_memory()
