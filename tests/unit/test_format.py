from __future__ import annotations

import math

import pytest

from smallvision import format as fmt
from smallvision.records.schema import Rate


@pytest.mark.parametrize(
    ("value", "n", "text"),
    [
        (0.98139, 360, "98.1"),
        (0.98139, 9_999, "98.1"),
        (0.98139, 10_000, "98.14"),
        (1.0, 10, "100.0"),
        (None, 10, "–"),
        (math.nan, 10, "–"),
    ],
)
def test_fractions_are_as_fine_as_n_allows(value: float | None, n: int, text: str) -> None:
    assert fmt.format_fraction(value, n) == text


def test_accuracy_and_interval() -> None:
    score = Rate(accuracy=0.981, interval=(0.9604, 0.9911), n=360, loss=0.1)
    assert fmt.format_accuracy(score) == "98.1 %"
    assert fmt.format_interval(score) == "96.0–99.1 %"
    assert fmt.format_accuracy(None) == fmt.format_interval(None) == "–"


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.021, True, "+2.1 points"),
        (-0.021, True, "−2.1 points"),
        (0.00001, True, "0.0 points"),
        (-0.00001, True, "0.0 points"),
        (0.1, False, "10.0 points"),
        (-0.1, False, "−10.0 points"),
        (None, True, "–"),
    ],
)
def test_points(value: float | None, signed: bool, text: str) -> None:
    assert fmt.format_points(value, signed=signed) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (1.44, "1.4 s"),
        (61.2, "61 s"),
        (119.6, "2 min"),
        (252, "4 min 12 s"),
        (3600, "1 h"),
        (7_500, "2 h 5 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert fmt.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00042, "0.42 ms"), (0.0042, "4.2 ms"), (0.42, "420 ms"), (4.2, "4.20 s"), (None, "–")],
)
def test_latencies(seconds: float | None, text: str) -> None:
    assert fmt.format_latency(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(320_000, "320 kB"), (4_311_400, "4.3 MB"), (25_276_514_304, "25.3 GB"), (None, "–")],
)
def test_sizes(size: float | None, text: str) -> None:
    assert fmt.format_size(size) == text


def test_ratios() -> None:
    shown = [fmt.format_ratio(value) for value in (0.158, 3.14, 314.0, None)]
    assert shown == ["0.16 ×", "3.1 ×", "314 ×", "–"]


def test_moments_are_utc_whatever_the_zone_written() -> None:
    assert fmt.format_moment("2026-11-22T14:40:00+00:00") == "22 November 2026, 14:40 UTC"
    assert fmt.format_moment("2026-01-01T00:30:00+02:00") == "31 December 2025, 22:30 UTC"
    assert fmt.format_moment("2026-11-22T14:40:00") == "22 November 2026, 14:40 UTC"
    assert fmt.format_moment("yesterday") == fmt.format_day("yesterday") == "yesterday"
    assert fmt.format_moment(None) == "–"
    assert fmt.format_day("2026-11-22T14:40:00+00:00") == "22 November 2026"


def test_small_words() -> None:
    assert [fmt.format_times(count) for count in range(4)] == [
        "never",
        "once",
        "twice",
        "3 times",
    ]
    assert fmt.shorten_hash("sha256:" + "ab" * 32) == "abababababab…"
    assert fmt.shorten_hash("short") == "short"
    assert fmt.join_words([]) == ""
    assert fmt.join_words(["a"]) == "a"
    assert fmt.join_words(["a", "b", "c"]) == "a, b and c"
    assert fmt.format_share(0.2) == "20 %"
    assert fmt.format_number(None) == "–"
    assert fmt.format_count(1_437) == "1,437"


def test_settings_as_people_write_them() -> None:
    shown = [fmt.format_setting(value) for value in (0.0005, 1e-05, 3, True, None, ["a", 0.1])]
    assert shown == ["0.0005", "1e-5", "3", "yes", "–", "a, 0.1"]


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.0, "over 99.9 %"),
        (0.99996, "over 99.9 %"),
        (0.9994, "99.9 %"),
        (0.5, "50.0 %"),
        (0.0005, "0.1 %"),
        (0.00001, "under 0.1 %"),
    ],
)
def test_a_model_is_never_quite_certain(probability: float, text: str) -> None:
    assert fmt.format_certainty(probability) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "p under 0.001"),
        (0.0004, "p under 0.001"),
        (0.0625, "p = 0.062"),
        (0.0497, "p = 0.0497"),
        (0.0503, "p = 0.0503"),
        (0.05, "p = 0.050"),
        (1, "p = 1.00"),
    ],
)
def test_p_values_are_never_zero(p: float, text: str) -> None:
    assert fmt.format_p(p) == text


def test_intervals_of_differences_have_signs() -> None:
    assert fmt.format_signed_span((-0.004, 0.019)) == "−0.4 to +1.9"


def test_columns_are_short() -> None:
    assert [fmt.format_short_count(n) for n in (77_860, 2_000_000, 950)] == [
        "77.9 k",
        "2.0 M",
        "950",
    ]
    assert [fmt.format_clock(s) for s in (200.4, 59.6)] == ["3:20", "1:00"]
