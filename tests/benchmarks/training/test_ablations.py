from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import smallvision as sv
from benchmarks.training import ablations
from benchmarks.training.ablations import NO_TTA, RECIPE, VARIANTS, AblationsRecord, VariantRun
from smallvision.recipes import override, recipe_for_target
from smallvision.records import store

SMALL = ["epochs=3", "model.widths=[8]", "batch_size=64", "micro_batch=0", "random_crop_phase=[]"]
SMALL += ["tta.shift=0", "optimizer.lr=0.02", "optimizer.vector_lr=1", "compute.threads=1"]


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_is_another_recipe(name: str) -> None:
    recipe = recipe_for_target(0.94)
    assert (override(recipe, VARIANTS[name]) == recipe) == (name == RECIPE)


def test_the_recipe_is_measured_with_one_view_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VARIANTS, RECIPE, SMALL)
    runs = ablations.train_variant(sv.load_data("digits"), 3, RECIPE)
    assert list(runs) == [RECIPE, NO_TTA]
    assert {run.seed for run in runs.values()} == {3}
    assert runs[RECIPE].log_loss != runs[NO_TTA].log_loss


def test_a_record_is_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: Callable[..., Result]
) -> None:
    trained = []

    def train(_data: object, seed: int, name: str) -> dict[str, VariantRun]:
        trained.append((name, seed))
        accuracy = 0.94 - 0.01 * seed - 0.1 * (name != RECIPE)
        return {name: VariantRun(seed=seed, accuracy=accuracy, log_loss=0.2, seconds=1.0)}

    monkeypatch.setattr(ablations, "train_variant", train)
    monkeypatch.setattr(sv, "load_data", lambda *_, **__: None)
    for seeds in (1, 2):
        result = benchmarks("ablations", "--seeds", seeds, "--out", tmp_path)
        assert result.exit_code == 0, result.output
    assert trained == [(name, seed) for seed in (0, 1) for name in VARIANTS]
    record = store.read(tmp_path / "ablations.json", AblationsRecord)
    assert record.variants[RECIPE].accuracy.mean == pytest.approx(0.935)
    pairs = [
        (base.seed, run.seed, round(run.accuracy - base.accuracy, 9))
        for base, run in record.pair_runs("no label smoothing")
    ]
    assert pairs == [(0, 0, -0.1), (1, 1, -0.1)]
