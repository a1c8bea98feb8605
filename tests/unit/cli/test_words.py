import pytest

from smallvision.cli.words import certainty


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (1.0, "over 99.9 %"),
        (0.99996, "over 99.9 %"),
        (0.9994, "99.9 %"),
        (0.5, "50.0 %"),
        (0.0005, "0.1 %"),
        (0.00001, "under 0.1 %"),
    ],
)
def test_a_model_is_never_quite_certain(probability: float, said: str) -> None:
    assert certainty(probability) == said
