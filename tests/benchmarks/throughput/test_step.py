import pytest

from benchmarks.throughput.step import StepBench, measure_steps
from smallvision.compute.machine import Machine
from smallvision.errors import FailedRunError
from smallvision.models import convolution
from smallvision.recipes import parse_recipe
from tests.support.measurements import CPU

MLP = parse_recipe({"model": {"name": "mlp", "hidden": [64]}, "batch_size": 8})


def test_a_step_too_large_for_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_bench: StepBench) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(StepBench, "take_step", fail)
    with pytest.raises(FailedRunError, match="'run' ran out of memory"):
        measure_steps({"mlp": MLP}, CPU, rounds=1)


def test_step_counts_what_a_step_computes_also_in_a_plain_loop() -> None:
    record = measure_steps({"mlp": MLP}, CPU, rounds=1, plain=True)
    assert list(record.steps) == ["mlp", "mlp, plain loop"]
    step, plain = record.steps.values()
    # Forwards, and backwards to the weights of both layers and to the input of the second.
    assert step.flop_per_image == plain.flop_per_image == 2 * (2 * 3072 * 64 + 3 * 64 * 10)
    speed = step.images_per_second * step.flop_per_image
    assert step.flop_per_second == pytest.approx(speed)
    assert step.peak_share == pytest.approx(speed / record.peak.flop_per_second)
    assert record.peak.flop_per_second == max(record.peak.layers.values())
    assert step.input_share is not None
    assert 0 < step.input_share < 1
    assert plain.images_per_second > 0
    assert (plain.input_share, plain.first_seconds) == (None, None)


def test_zeros_between_images_are_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """With AMX more is computed than a step needs; that is no speed."""
    recipe = parse_recipe({"model": {"name": "speednet", "widths": [8, 8]}, "batch_size": 8})
    counts = []
    for amx, precision in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(convolution, "has_amx", lambda amx=amx: amx)
        machine = Machine(device="cpu", precision=precision, compiled=False, threads=1)
        counts.append(StepBench(recipe, machine).count_flop())
    assert counts[0] == counts[1]


def test_sam_computes_twice_as_much() -> None:
    counts = []
    for name in ("sgd", "sam"):
        recipe = parse_recipe({"model": {"name": "mlp"}, "optimizer": {"name": name}})
        counts.append(StepBench(recipe, CPU).count_flop())
    assert counts[1] == 2 * counts[0]
