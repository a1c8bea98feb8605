from smallvision.training import Patience

CYCLES = (2, 5, 12)


def stops(patience: Patience, epoch: int, best: int) -> bool:
    said = patience.reason_to_stop(epoch=epoch, best_epoch=best, cycle_ends=CYCLES)
    return said is not None


def test_never() -> None:
    assert not stops(Patience(None), 100, 1)


def test_epochs() -> None:
    patience = Patience(3, "epochs")
    assert not stops(patience, 4, 2)
    assert stops(patience, 5, 2)


def test_cycles_survive_a_restart() -> None:
    """Accuracy falls right after a restart; only a whole fruitless cycle is a reason to stop."""
    patience = Patience(1, "cycles")
    assert not any(stops(patience, epoch, 2) for epoch in (2, 3, 4))
    assert stops(patience, 5, 2)
    assert not stops(patience, 5, 3)
    assert not stops(Patience(2, "cycles"), 5, 2)
    assert stops(Patience(2, "cycles"), 12, 2)


def test_the_reason_names_the_best_epoch() -> None:
    said = Patience(1, "cycles").reason_to_stop(epoch=5, best_epoch=2, cycle_ends=CYCLES)
    assert said == "no better validation accuracy in 1 cycle since epoch 2"
