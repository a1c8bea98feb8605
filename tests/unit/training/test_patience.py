from smallvision.training import Patience

CYCLES = (2, 5, 12)


def explain(patience: Patience, epoch: int, best: int, train_accuracy: float = 0.9) -> str | None:
    return patience.reason_to_stop(
        epoch=epoch, best_epoch=best, cycle_ends=CYCLES, train_accuracy=train_accuracy
    )


def stops(patience: Patience, epoch: int, best: int, train_accuracy: float = 0.9) -> bool:
    return explain(patience, epoch, best, train_accuracy) is not None


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
    said = explain(Patience(1, "cycles"), 5, 2)
    assert said == "no better validation accuracy in 1 cycle since epoch 2"


def test_a_run_that_knows_its_images_ends_with_the_cycle() -> None:
    """Within a cycle the learning rate has yet to fall, which raises validation accuracy."""
    patience = Patience(None, learnt=0.999)
    assert not stops(patience, 4, 4, train_accuracy=1.0)
    assert not stops(patience, 5, 5, train_accuracy=0.998)
    assert explain(patience, 5, 5, 0.999) == (
        "knew its training images at the end of a cycle, epoch 5"
    )
