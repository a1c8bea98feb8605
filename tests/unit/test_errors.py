"""Errors, and what they are about."""

from __future__ import annotations

import pytest

from smallvision.errors import is_out_of_memory


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("could not create a primitive"),
        RuntimeError("std::bad_alloc"),
        OSError(12, "Cannot allocate memory"),
        ImportError("_mio5_utils.so: cannot map zero-fill pages"),
        RuntimeError("ErrorReport: Unable to create type object!"),
    ],
)
def test_memory_runs_out_by_many_names(error: Exception) -> None:
    assert is_out_of_memory(error)
    wrapped = ImportError("numpy cannot be imported")
    wrapped.__cause__ = error
    assert is_out_of_memory(wrapped)


def test_other_errors_are_not_about_memory() -> None:
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
