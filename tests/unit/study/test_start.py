"""A run that begins with the weights of another model: what it takes over, keeps and refuses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from smallvision.api import distill, train, tune
from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.errors import DataError, RecordError, SettingError, UserError
from smallvision.predict import load_model, take_over
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.recipes.builders import build_model
from smallvision.records.layout import START, read_status
from smallvision.records.model_folders import PRETRAINED, fingerprint_model
from smallvision.records.schema.settings.networks import EnsembleSettings, MlpSettings
from smallvision.runs.job import own_models
from smallvision.runs.train import run_recipe
from smallvision.study import start as module
from smallvision.study.start import begin_with, compare_images, find_start, offer_start
from smallvision.training import Callback
from smallvision.training.state import copy_weights
from tests.support.images import make_dataset
from tests.support.models import FP32, edit_model, make_model
from tests.support.runs import Interrupt, make_job, make_recipe, read_bits, train_tiny

SMALL: dict[str, Any] = {"epochs": 2, "model": {"name": "mlp", "hidden": [8]}}
BRIEF = ("epochs=1", "compute.threads=1")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on other images, of four classes."""
    folder = tmp_path_factory.mktemp("source") / "run"
    train_tiny(make_dataset(num_classes=4, seed=5), folder, name="source", **SMALL)
    return folder


def begin(source: Path, **changes: Any) -> Recipe:
    recipe = make_recipe(**{**SMALL, **changes})
    return begin_with(find_start(source), recipe, (1, 8, 8), ("model.hidden=[8]",))


def learn(source: Path, dataset: DataSet, folder: Path, *callbacks: Callback) -> None:
    run_recipe(begin(source), make_job(dataset, folder, *callbacks).offering([source / "model"]))


def read_tensors(run: Path) -> dict[str, torch.Tensor]:
    return dict(load_model(run, FP32).network.named_parameters())


def test_all_weights_but_those_of_the_head_are_taken_over(
    source: Path, dataset: DataSet, tmp_path: Path
) -> None:
    """A rate of 0 leaves what was taken over as it was, to the end of the run."""
    job = make_job(dataset, tmp_path / "run").offering([source / "model"])
    run_recipe(begin(source, start={"rate": 0.0}), job)
    before, after = read_tensors(source), read_tensors(tmp_path / "run")
    same = {name for name in after if torch.equal(before[name], after[name])}
    *body, weight, bias = after
    assert same == set(body)
    assert len(after[weight]) == len(after[bias]) == 3


def test_the_whitening_is_not_measured_anew(dataset: DataSet, tmp_path: Path) -> None:
    model, muon = {"name": "speednet", "widths": [8]}, {"name": "muon"}
    changes = {"model": model, "optimizer": muon, "augment": [], "epochs": 1}
    train_tiny(make_dataset(num_classes=4, seed=5), tmp_path / "source", **changes)
    start = find_start(tmp_path / "source")
    recipe = begin_with(start, make_recipe(**changes), (1, 8, 8))
    run_recipe(recipe, make_job(dataset, tmp_path / "run").offering([tmp_path / "source/model"]))
    filters = [read_tensors(tmp_path / name)["whitening.weight"] for name in ("source", "run")]
    assert torch.equal(*filters)
    fresh = train_tiny(dataset, tmp_path / "fresh", **changes)
    assert fresh.is_done
    assert not torch.equal(filters[0], read_tensors(tmp_path / "fresh")["whitening.weight"])


def test_a_head_of_as_many_classes_is_made_anew_too(source: Path) -> None:
    start, recipe = find_start(source), make_recipe(**SMALL)
    model = build_model(recipe, (1, 8, 8), 4)
    before = copy_weights(model)
    taken = take_over(model, start, recipe.model, (1, 8, 8))
    after, given = model.state_dict(), start.network.state_dict()
    *body, weight, bias = after
    assert all(torch.equal(after[name], given[name]) for name in body)
    assert all(torch.equal(after[name], before[name]) for name in (weight, bias))
    assert len(taken) == len(list(model.parameters())) - 2


def test_what_was_taken_over_is_trained_at_its_own_rate(
    source: Path, dataset: DataSet, tmp_path: Path
) -> None:
    for rate in (0.5, 1.0):
        job = make_job(dataset, tmp_path / str(rate)).offering([source / "model"])
        run_recipe(begin(source, start={"rate": rate}, epochs=1), job)
    slow, fast = (read_tensors(tmp_path / name) for name in ("0.5", "1.0"))
    assert not any(torch.equal(slow[name], fast[name]) for name in slow)


def test_a_torn_run_ends_with_the_same_bits_without_its_start(
    source: Path, dataset: DataSet, tmp_path: Path
) -> None:
    learn(source, dataset, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        learn(source, dataset, tmp_path / "torn", Interrupt(1))
    run_recipe(begin(source), make_job(dataset, tmp_path / "torn"))
    assert read_bits(tmp_path / "torn") == read_bits(tmp_path / "whole")


def test_repeats_and_refits_begin_with_the_same_weights(
    source: Path, dataset: DataSet, tmp_path: Path
) -> None:
    learn(source, dataset, tmp_path / "run")
    copy = tmp_path / "run" / "recipe.toml"
    train(dataset, copy, out=tmp_path / "run", resume=True, seeds=2, refit=True)
    for place in ("seeds/1", "refit"):
        assert fingerprint_model(tmp_path / "run" / place / START) == fingerprint_model(source)
        assert read_status(tmp_path / "run" / place).is_done


def test_from_the_library(source: Path, dataset: DataSet, tmp_path: Path) -> None:
    run = train(dataset, "mlp", start=source, out=tmp_path / "run", settings=BRIEF)
    recipe = read_run_recipe(run.folder)
    assert run.status.name == "mlp-transfer"
    assert recipe.model == MlpSettings(hidden=(8,))  # the start's, not the rung's
    assert recipe.start.model == fingerprint_model(source)
    assert [note for note in run.status.notes if "not checked" in note]
    student = distill(
        run, data=dataset, out=tmp_path / "student", settings=["compute.threads=1"]
    )  # which begins where its teacher began
    assert len(own_models(student.folder)) == 2
    with pytest.raises(UserError, match="with --start"):
        distill(source, begin(run.folder), data=make_dataset(num_classes=4, seed=5))


def test_no_other_work_takes_a_recipe_that_names_a_start(
    source: Path, dataset: DataSet, tmp_path: Path
) -> None:
    for work in (train, tune):
        with pytest.raises(UserError, match="with --start"):
            work(dataset, begin(source), out=tmp_path / "refused")
    assert not (tmp_path / "refused").exists()


def test_a_run_without_its_start_is_refused(source: Path, dataset: DataSet, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is not the start that"):
        run_recipe(begin(source), make_job(dataset, tmp_path))


def test_a_damaged_copy_is_refused(source: Path, dataset: DataSet, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        learn(source, dataset, tmp_path, Interrupt(1))
    weights = tmp_path / START / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(RecordError, match="damaged"):
        run_recipe(begin(source), make_job(dataset, tmp_path))


def test_a_copy_that_a_kill_cut_short_is_made_again(
    source: Path, dataset: DataSet, tmp_path: Path
) -> None:
    (tmp_path / "run" / START).mkdir(parents=True)
    assert own_models(tmp_path / "run") == ()
    learn(source, dataset, tmp_path / "run")
    assert own_models(tmp_path / "run") == (tmp_path / "run" / START,)


def test_a_strangers_start_is_checked_before_it_is_loaded(source: Path, tmp_path: Path) -> None:
    crafted = shutil.copytree(source / "model", tmp_path / "model")
    edit_model(crafted, model={"name": "mlp", "hidden": [60_000, 60_000]})
    with pytest.raises(RecordError, match="no model that this version can build"):
        find_start(crafted)


def refuse(start: Any, recipe: Recipe, shape: tuple[int, int, int], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        begin_with(start, recipe, shape)


def test_what_does_not_fit_is_refused(source: Path) -> None:
    start, recipe = find_start(source), make_recipe(**SMALL)
    refuse(start, make_recipe(), (1, 8, 8), "trains a wide_resnet; both must be of one family")
    refuse(start, recipe, (1, 12, 12), "for images of 1x8x8 do not fit this mlp for .* 1x12x12")
    refuse(start, recipe, (3, 8, 8), "for images of 1x8x8 do not fit this mlp for .* 3x8x8")
    with pytest.raises(SettingError, match="do not fit"):
        begin_with(start, recipe, (1, 8, 8), ("model.hidden=[16]",))
    linear = make_recipe(model={"name": "linear"})
    refuse(make_model(0, linear.model), linear, (1, 8, 8), "no layer besides its head")
    ensemble = make_model(0, EnsembleSettings(members=(recipe.model, recipe.model)))
    refuse(ensemble, recipe, (1, 8, 8), "an ensemble is no start")


def test_the_included_model_takes_images_of_any_size() -> None:
    start, recipe = find_start("cifar10"), make_recipe(model={"name": "speednet"})
    for side in (8, 28, 96):
        assert begin_with(start, recipe, (3, side, side)).model == start.settings
    refuse(start, recipe, (1, 32, 32), "whitening")


def make_photographs(count: int, seed: int = 0, side: int = 32) -> ImageSet:
    """Smooth images of many colours, each unlike the others."""
    rough = torch.from_numpy(np.random.default_rng(seed).uniform(0, 255, (count, 3, 6, 6)))
    images = torch.nn.functional.interpolate(rough, size=side, mode="bicubic").clamp(0, 255)
    labels = np.arange(count, dtype=np.int64) % 2
    return ImageSet(images.numpy().astype(np.uint8), labels, ("a", "b"))


def with_train(train: ImageSet) -> DataSet:
    return DataSet(name="photographs", source="tests", train=train, test=make_dataset().test)


@pytest.fixture
def included(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """What the included model was trained on, as far as these tests know."""
    seen = make_photographs(60, seed=1)
    monkeypatch.setattr(module, "find_places", lambda: {"cifar10": tmp_path})
    monkeypatch.setattr(module, "load_data", lambda name: with_train(seen))
    return seen


def test_near_duplicates_of_what_the_start_has_seen_are_counted(included: ImageSet) -> None:
    start, fresh = find_start("cifar10"), make_photographs(50, seed=2)
    assert compare_images(start, with_train(fresh)).startswith("None of 50 images")
    images = fresh.images.copy()
    images[:3] = included.images[:3]
    images[3] = included.images[3, ..., ::-1]  # a mirror image
    mixed = ImageSet(images, fresh.labels, fresh.class_names)
    assert compare_images(start, with_train(mixed)).startswith("Warning: of 50 images 4 are")
    val = ImageSet(included.images[:2], fresh.labels[:2], fresh.class_names)
    declared = DataSet(name="x", source="tests", train=fresh, test=make_dataset().test, val=val)
    assert compare_images(start, declared).startswith("Warning: of 52 images 2 are")


def test_few_of_many_images_are_compared(
    included: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKED_AT", 10)
    said = compare_images(find_start("cifar10"), with_train(make_photographs(50, seed=2)))
    assert said.startswith("None of 10 images")


@pytest.mark.usefixtures("included")
def test_small_images_are_not_compared() -> None:
    small = with_train(make_photographs(20, side=16))
    assert "images of this size are not compared" in compare_images(find_start("cifar10"), small)


@pytest.mark.parametrize("found", [None, DataError("damaged")])
def test_nothing_is_downloaded_to_be_compared(
    monkeypatch: pytest.MonkeyPatch, found: DataError | None
) -> None:
    monkeypatch.setattr(module, "find_places", lambda: {"cifar10": found})
    said = compare_images(find_start("cifar10"), with_train(make_photographs(20)))
    assert said.endswith("cifar10 is not on this machine.")


def test_a_start_from_the_same_images_is_told(source: Path) -> None:
    start = find_start(source)
    assert "not at hand" in compare_images(start, make_dataset())
    own = make_dataset(num_classes=4, seed=5)
    assert compare_images(start, own).startswith("Warning: the start was trained on images of this")


def test_the_included_model_is_known_by_its_weights(tmp_path: Path, included: ImageSet) -> None:
    copy = find_start(shutil.copytree(PRETRAINED / "cifar10", tmp_path / "copy"))
    assert "Warning" in compare_images(copy, with_train(included))


def test_it_is_offered_for_few_small_photographs_alone() -> None:
    photographs = with_train(make_photographs(30))
    assert "--start cifar10" in (offer_start(photographs, 24) or "")
    assert offer_start(photographs, 20_000) is None
    assert offer_start(make_dataset(), 100) is None
