from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallvision.optim import SCHEDULES

lengths = {"epochs": st.integers(1, 60), "steps": st.integers(1, 50)}


@pytest.mark.parametrize("name", SCHEDULES)
@given(**lengths)
def test_stays_within_bounds_and_ends_low(name: str, epochs: int, steps: int) -> None:
    schedule = SCHEDULES[name](epochs, steps)
    values = [schedule(step) for step in range(epochs * steps)]
    assert all(0 <= value <= 1 for value in values)
    assert schedule.cycle_ends[-1] == epochs * steps - 1
    if epochs * steps >= 40:
        assert max(values) > 0.9
        assert values[-1] < 0.15


@given(
    **lengths,
    settings=st.fixed_dictionaries({"cycles": st.integers(1, 8), "cycle_mult": st.floats(1, 4)}),
)
def test_sgdr_restarts_at_the_end_of_epochs(
    epochs: int, steps: int, settings: dict[str, Any]
) -> None:
    schedule = SCHEDULES["sgdr"](epochs, steps, **settings)
    assert len(schedule.cycle_ends) == min(settings["cycles"], epochs)
    assert all((end + 1) % steps == 0 for end in schedule.cycle_ends)
    for end in schedule.cycle_ends[:-1]:
        assert schedule(end + 1) == 1.0, "a restart is warm"
        assert schedule(end) < 1.0 or steps == 1


@given(**lengths, cycles=st.integers(1, 8))
def test_linear_cycles_are_one_line_after_another(epochs: int, steps: int, cycles: int) -> None:
    one = SCHEDULES["linear"](epochs, steps, floor=0.1)
    several = SCHEDULES["linear"](epochs * cycles, steps, cycles=cycles, floor=0.1)
    values = [several(step) for step in range(epochs * steps * cycles)]
    assert values == [one(step) for step in range(epochs * steps)] * cycles
    assert several.cycle_ends == tuple(epochs * steps * i - 1 for i in range(1, cycles + 1))


@pytest.mark.parametrize("name", ["cosine", "linear", "sgdr"])
@given(**lengths, warmup=st.floats(0, 3))
def test_no_warm_up_goes_beyond_the_peak(name: str, epochs: int, steps: int, warmup: float) -> None:
    schedule = SCHEDULES[name](epochs, steps, warmup_epochs=warmup)
    assert all(0 <= schedule(step) <= 1 for step in range(epochs * steps))


def test_sgdr_matches_the_paper() -> None:
    """Cycles of 10, 20 and 40 epochs, each a half cosine (arXiv 1608.03983, equation 5)."""
    schedule = SCHEDULES["sgdr"](70, 100)
    assert [end + 1 for end in schedule.cycle_ends] == [1000, 3000, 7000]
    assert schedule(0) == 1.0
    assert schedule(500) == pytest.approx(0.5)
    assert schedule(2000) == pytest.approx(0.5)
    assert schedule(5000) == pytest.approx(0.5)


def test_equal_cycles() -> None:
    schedule = SCHEDULES["sgdr"](12, 10, cycles=3, cycle_mult=1)
    assert schedule.cycle_ends == (39, 79, 119)


def test_warm_up_rises_in_a_line() -> None:
    schedule = SCHEDULES["cosine"](10, 10, warmup_epochs=1)
    ramp = [schedule(step) for step in range(10)]
    assert ramp == sorted(ramp)
    assert ramp[0] == pytest.approx(0.1)
