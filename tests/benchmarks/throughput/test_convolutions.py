import pytest

from benchmarks.throughput import convolutions
from tests.support.measurements import CPU


def test_both_ways_are_timed_and_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolutions, "LAYERS", (("tiny", 2, 8, 8, 7),))
    monkeypatch.setattr(convolutions, "choose_machine", lambda **_: CPU)
    (layer,) = convolutions.measure_convolutions("fp32", rounds=1).layers
    speeds = {name: rate.images_per_second for name, rate in layer.rates.items()}
    for mode in ("training", "forwards"):
        ratio = speeds[f"fft, {mode}"] / speeds[f"direct, {mode}"]
        assert getattr(layer, mode) == pytest.approx(ratio)
    for errors in layer.errors.values():
        assert max(errors) < 1e-5
