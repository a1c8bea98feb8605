import pytest

from smallvision.training.best_epoch import Best


@pytest.mark.parametrize(
    ("accuracy", "loss", "better"),
    [(0.91, 0.9, True), (0.9, 0.2, True), (0.9, 0.3, False), (0.9, 0.4, False), (0.8, 0.1, False)],
)
def test_accuracy_decides_and_then_the_loss(accuracy: float, loss: float, better: bool) -> None:
    assert Best(3, score=0.9, loss=0.3).improves(accuracy, loss) is better


def test_the_last_epoch_is_kept_where_nothing_is_measured() -> None:
    assert Best(3).improves(None, None)
    assert Best().improves(0.1, 2.3)
