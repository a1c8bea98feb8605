"""Every measurement at its smallest: what the records hold, and that they agree with themselves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from smallvision.bench import bench_accuracy, bench_pipeline, bench_predict, bench_step, timing
from smallvision.bench.record import begin_record
from smallvision.bench.step import StepBench
from smallvision.compute.machine import Machine
from smallvision.data.imageset import ImageSet
from smallvision.errors import FailedRunError, RecordError
from smallvision.models import MODELS, convolution
from smallvision.predict import SavedModel, Views
from smallvision.recipes import aim, override, parse_recipe
from smallvision.recipes.toml import sum_recipe
from smallvision.records.files import make_folder, write_json
from smallvision.reporting.benches import draw_benches
from tests.support.synthetic import write_synthetic

CPU = Machine("cpu", "fp32", compiled=False, threads=1)


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "TURN_SECONDS", 0.01)
    monkeypatch.setattr(timing, "REST_SECONDS", 0.0)


def test_jobs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, called = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])

    def job(name: str, seconds: list[float]) -> timing.Job:
        def work() -> int:
            called.append(name)
            clock[0] += seconds.pop(0)
            return 12

        return work

    rates = timing.alternate({"a": job("a", [9, 1, 3, 2]), "b": job("b", [9, 4, 4, 6])}, rounds=3)
    assert called == ["a", "b", "a", "b", "a", "b", "a", "b"]
    assert rates["a"] == {"images_per_second": 6, "rounds": [12, 4, 6]}
    assert rates["b"] == {"images_per_second": 3, "rounds": [3, 3, 2]}


def test_pipeline() -> None:
    generator = np.random.default_rng(0)
    images = ImageSet(
        generator.integers(0, 256, (256, 3, 8, 8), dtype=np.uint8),
        generator.integers(0, 3, 256),
        ("a", "b", "c"),
    )
    record = bench_pipeline(images, CPU, rounds=1)
    rates = [rate["images_per_second"] for rate in record["paths"].values()]
    assert record["ratio"] == pytest.approx(rates[0] / max(rates[1:]))
    assert {"flip", "crop", "cutmix"} <= set(record["augmentations"])
    assert "batches on the device" in draw_benches([{"name": "pipeline", **record}])


def test_a_step_too_large_for_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_bench: StepBench) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(StepBench, "take_step", fail)
    recipe = parse_recipe({"model": {"name": "mlp", "hidden": [8]}, "batch_size": 8})
    with pytest.raises(FailedRunError, match="'run' ran out of memory"):
        bench_step({"mlp": recipe}, CPU, rounds=1)


def test_step_counts_what_a_step_computes() -> None:
    recipe = parse_recipe({"model": {"name": "mlp", "hidden": [64]}, "batch_size": 8})
    record = bench_step({"mlp": recipe}, CPU, rounds=1)
    step = record["steps"]["mlp"]
    # Forwards, and backwards to the weights of both layers and to the input of the second.
    assert step["flop_per_image"] == 2 * (2 * 3072 * 64 + 3 * 64 * 10)
    speed = step["images_per_second"] * step["flop_per_image"]
    assert step["flop_per_second"] == pytest.approx(speed)
    assert step["peak_share"] == pytest.approx(speed / record["peak"]["flop_per_second"])
    assert record["peak"]["flop_per_second"] == max(record["peak"]["layers"].values())
    assert "mlp" in draw_benches([{"name": "step", **record}])


def test_zeros_between_images_are_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """With AMX more is computed than a step needs; that is no speed."""
    recipe = parse_recipe({"model": {"name": "speednet", "widths": [8, 8]}, "batch_size": 8})
    counts = []
    for amx, precision in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(convolution, "has_amx", lambda amx=amx: amx)
        machine = Machine("cpu", precision, compiled=False, threads=1)
        counts.append(StepBench(recipe, machine).describe()["flop_per_image"])
    assert counts[0] == counts[1]


def test_a_plain_loop_beside_ours() -> None:
    recipe = parse_recipe({"model": {"name": "mlp", "hidden": [64]}, "batch_size": 8})
    record = bench_step({"mlp": recipe}, CPU, rounds=1, plain=True)
    ours, plain = record["steps"]["mlp"], record["steps"]["mlp, plain loop"]
    assert plain["flop_per_image"] == ours["flop_per_image"]
    assert plain["images_per_second"] > 0
    assert plain["input_share"] is None
    assert "plain loop" in draw_benches([{"name": "step", **record}])


def test_predict_counts_the_views() -> None:
    torch.manual_seed(0)
    network = MODELS["mlp"].build((1, 8, 8), 3, hidden=(8,)).eval()
    looks = {"one": Views(), "six": Views(mirror=True, shift=1)}
    models = {
        name: SavedModel(
            network, {"name": "mlp"}, ("a", "b", "c"), (1, 8, 8), (0.5,), (0.2,), 1, views=views,
            machine=CPU,
        )
        for name, views in looks.items()
    }  # fmt: skip
    record = bench_predict(models, CPU, rounds=3)
    assert record["models"]["one"]["parameters"] == 64 * 8 + 2 * 8 + 8 * 3 + 3
    assert (
        record["models"]["one"]["images_per_second"] > record["models"]["six"]["images_per_second"]
    )
    assert "six" in draw_benches([{"name": "predict", **record}])


def test_accuracy_is_that_of_whole_processes(tmp_path: Path) -> None:
    small = ["epochs=1", "model.widths=[8]", "batch_size=64", "micro_batch=0", "windows=[]"]
    small += ["views.shift=0", "compute.threads=1"]
    settings = {"seeds": 2, "on_test": True, "settings": small}
    record = bench_accuracy("digits", 0.94, tmp_path, **settings)
    assert [run["seed"] for run in record["runs"]] == [0, 1]
    assert all(run["seconds"] > run["training_seconds"] for run in record["runs"])
    mean = sum(run["accuracy"] for run in record["runs"]) / 2
    assert record["accuracy"]["mean"] == pytest.approx(mean)
    assert record["reached"] == sum(run["accuracy"] >= 0.94 for run in record["runs"]) / 2
    assert (record["split"], record["n"]) == ("test", 359)
    for seed in (0, 1):
        ledger = (tmp_path / f"seed-{seed}" / "ledger.jsonl").read_text().splitlines()
        assert len(ledger) == 1, "the test set was opened once a run"
    again = bench_accuracy("digits", 0.94, tmp_path, **settings)
    assert again["runs"] == record["runs"], "no seed is tried twice"
    for other in ({"on_test": False}, {"settings": [*small, "epochs=2"]}):
        with pytest.raises(RecordError, match="another recipe or on other images"):
            bench_accuracy("digits", 0.94, tmp_path, **{**settings, **other})
    other = write_synthetic(tmp_path / "other.npz", 60)
    with pytest.raises(RecordError, match="another recipe or on other images"):
        bench_accuracy(str(other), 0.94, tmp_path, **settings)
    assert json.dumps(record["accuracy"]) in json.dumps(again)
    (tmp_path / "seed-0" / "bench.json").unlink()
    with pytest.raises(RecordError, match="opened the test set, and was cut short"):
        bench_accuracy("digits", 0.94, tmp_path, **settings)
    assert "test images of digits" in draw_benches([{"name": "accuracy", **record}])


def test_a_run_that_was_cut_short_is_timed_from_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(arguments: list[str], **_settings: object) -> subprocess.CompletedProcess[str]:
        place = Path(arguments[arguments.index("--out") + 1])
        assert not place.exists()
        place.mkdir(parents=True)
        seed = int(arguments[-1].removeprefix("seed="))
        recipe = sum_recipe(override(aim(0.94), [f"seed={seed}"]))
        write_json(place / "status.json", {**status, **recipe, "machine": CPU.record()})
        write_json(place / "environment.json", {"processor": processors[seed]})
        said = json.dumps({"val": {"accuracy": 0.9, "n": 10}, "seconds": 1.0})
        return subprocess.CompletedProcess(arguments, 0, said, "")

    status = {"name": "speednet", "status": "running", "data": "digits"}
    processors = ["one", "one"]
    monkeypatch.setattr("smallvision.bench.accuracy.subprocess", SimpleNamespace(run=train))
    write_json(make_folder(tmp_path / "seed-1") / "status.json", status)
    assert len(bench_accuracy("digits", 0.94, tmp_path, seeds=2)["runs"]) == 2
    (tmp_path / "seed-1" / "bench.json").unlink()
    processors[1] = "another"
    with pytest.raises(RecordError, match="more than one machine"):
        bench_accuracy("digits", 0.94, tmp_path, seeds=2)


def test_sam_computes_twice_as_much() -> None:
    counts = []
    for name in ("sgd", "sam"):
        recipe = parse_recipe({"model": {"name": "mlp"}, "optimizer": {"name": name}})
        counts.append(StepBench(recipe, CPU).describe()["flop_per_image"])
    assert counts[1] == 2 * counts[0]


def test_ablations_are_drawn() -> None:
    figures = {"accuracy": 0.935, "log_loss": 0.2345}
    variant = {
        **{name: {"mean": value, "std": None} for name, value in figures.items()},
        "runs": [figures],
    }
    record = {**begin_record("ablations", "", CPU), "name": "ablations", "target": 0.94}
    page = draw_benches([{**record, "variants": {"no windows": variant}}])
    for shown in ("no windows", "93.50", "0.2345"):
        assert shown in page
