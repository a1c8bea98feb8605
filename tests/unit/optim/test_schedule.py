from smallvision.optim import Schedule


def test_steps_since_a_restart() -> None:
    schedule = Schedule(lambda _: 1.0, (1, 4))
    assert [schedule.count_since_restart(step) for step in range(5)] == [0, 1, 0, 1, 2]
