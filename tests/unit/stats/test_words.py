import pytest

from smallvision.stats.words import format_p


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "p under 0.001"), (0.0004, "p under 0.001"), (0.0625, "p = 0.062"), (1, "p = 1.00")],
)
def test_p_values_are_never_zero(p: float, text: str) -> None:
    assert format_p(p) == text
