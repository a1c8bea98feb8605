"""Callbacks hear of everything, and several of them are as one."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from smallvision.training import Callback, Callbacks

METHODS = [name for name in vars(Callback) if name.startswith("on_")]


class Listener(Callback):
    """Notes what it is told."""

    def __init__(self, name: str, told: list[Any]) -> None:
        for method in METHODS:
            setattr(self, method, lambda *what, method=method: told.append((name, method, *what)))


@pytest.mark.parametrize("method", METHODS)
def test_all_of_several_callbacks_are_told_in_their_order(method: str) -> None:
    told: list[Any] = []
    several = Callbacks([Listener("a", told), Callback(), Listener("b", told)])
    count = len(inspect.signature(getattr(several, method)).parameters)
    what = [object() for _ in range(count)]
    getattr(several, method)(*what)
    assert told == [("a", method, *what), ("b", method, *what)]
