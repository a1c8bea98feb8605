from __future__ import annotations

import math

import pytest

from smallvision.reporting import words
from smallvision.reporting.scores import Score


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
    assert words.format_fraction(value, n) == text


def test_accuracy_and_interval() -> None:
    score = Score(0.981, (0.9604, 0.9911), 360)
    assert words.format_accuracy(score) == "98.1\u00a0%"
    assert words.format_interval(score) == "96.0–99.1\u00a0%"
    assert words.format_accuracy(None) == words.format_interval(None) == "–"


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.021, True, "+2.1\u00a0points"),
        (-0.021, True, "−2.1\u00a0points"),
        (0.00001, True, "0.0\u00a0points"),
        (-0.00001, True, "0.0\u00a0points"),
        (0.1, False, "10.0\u00a0points"),
        (-0.1, False, "−10.0\u00a0points"),
        (None, True, "–"),
    ],
)
def test_points(value: float | None, signed: bool, text: str) -> None:
    assert words.format_points(value, signed=signed) == text


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
    assert words.format_duration(seconds).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00042, "0.42 ms"), (0.0042, "4.2 ms"), (0.42, "420 ms"), (4.2, "4.20 s"), (None, "–")],
)
def test_latencies(seconds: float | None, text: str) -> None:
    assert words.format_latency(seconds).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(320_000, "320 kB"), (4_311_400, "4.3 MB"), (25_276_514_304, "25.3 GB"), (None, "–")],
)
def test_sizes(size: float | None, text: str) -> None:
    assert words.format_size(size).replace("\u00a0", " ") == text


def test_ratios() -> None:
    shown = [words.format_ratio(value) for value in (0.158, 3.14, 314.0, None)]
    assert [text.replace("\u00a0", " ") for text in shown] == ["0.16 ×", "3.1 ×", "314 ×", "–"]


def test_moments_are_utc_whatever_the_zone_written() -> None:
    assert words.format_moment("2026-11-22T14:40:00+00:00") == "22 November 2026, 14:40 UTC"
    assert words.format_moment("2026-01-01T00:30:00+02:00") == "31 December 2025, 22:30 UTC"
    assert words.format_moment("2026-11-22T14:40:00") == "22 November 2026, 14:40 UTC"
    assert words.format_moment("yesterday") == words.format_day("yesterday") == "yesterday"
    assert words.format_moment(None) == "–"
    assert words.format_day("2026-11-22T14:40:00+00:00") == "22 November 2026"


def test_small_words() -> None:
    assert [words.format_times(count) for count in range(4)] == [
        "never",
        "once",
        "twice",
        "3 times",
    ]
    assert words.shorten_hash("sha256:" + "ab" * 32) == "abababababab…"
    assert words.shorten_hash("short") == "short"
    assert words.join_words([]) == ""
    assert words.join_words(["a"]) == "a"
    assert words.join_words(["a", "b", "c"]) == "a, b and c"
    assert words.format_share(0.2) == "20\u00a0%"
    assert words.format_number(None) == "–"
    assert words.format_count(1_437) == "1,437"


def test_settings_as_people_write_them() -> None:
    shown = [words.format_setting(value) for value in (0.0005, 1e-05, 3, True, None, ["a", 0.1])]
    assert shown == ["0.0005", "1e-5", "3", "yes", "–", "a, 0.1"]
