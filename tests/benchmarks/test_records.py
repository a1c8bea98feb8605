from pathlib import Path

import pytest

from benchmarks.records import Measurement, are_alike, describe_here, summarize
from smallvision.records import store
from tests.support.measurements import CPU


def test_a_measurement_that_was_read_is_alike_to_a_fresh_one(tmp_path: Path) -> None:
    fresh = Measurement(kind="any", **describe_here(CPU))
    store.write(tmp_path / "any.json", fresh)
    read = store.read(tmp_path / "any.json", Measurement)
    assert read == fresh
    assert are_alike(read, fresh)
    other = CPU.model_copy(update={"threads": 77})
    assert not are_alike(read, Measurement(kind="any", **describe_here(other)))


def test_several_runs_have_a_deviation_and_one_has_none() -> None:
    one = summarize([3.0])
    assert (one.mean, one.std, one.interval) == (3.0, None, None)
    two = summarize([1.0, 3.0])
    assert two.std == pytest.approx(2**0.5)
    # Student's t with one degree of freedom, 12.706, times the standard error, 1.
    assert two.interval == pytest.approx((2 - 12.706, 2 + 12.706), abs=1e-3)
