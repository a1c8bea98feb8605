import pytest

from benchmarks.gpu import race
from benchmarks.gpu.recipes import CPU_PARTS, VARIANTS, build, count_operations
from benchmarks.records import ROOT
from smallvision.recipes import override, read_recipe, recipe_for_target
from smallvision.runs import train
from tests.support.measurements import CPU

TOML = sorted((ROOT / "benchmarks" / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", TOML, ids=lambda path: path.stem)
def test_recipes_are_read(path) -> None:
    assert path.stem == read_recipe(path).name


def test_every_variant_is_a_recipe_of_its_own() -> None:
    recipes = [build(settings, dry=False) for settings in VARIANTS.values()]
    assert all(one != other for k, one in enumerate(recipes) for other in recipes[:k])


@pytest.mark.parametrize("target", race.PEERS)
def test_a_trial_of_the_race_is_tiny(target: float) -> None:
    assert override(recipe_for_target(target), race.TINY).epochs == 1


def test_windows_cost_fewer_operations() -> None:
    whole, cropped = (
        count_operations(build(VARIANTS[name], dry=True))
        for name in ("8 whole, a third convolution", "5 at 28, 3 whole")
    )
    assert cropped < whole


def test_micro_batches_are_those_of_a_cpu() -> None:
    recipe = build(VARIANTS["8 whole"], dry=False)
    gpu = CPU.model_copy(update={"device": "cuda"})
    assert train.choose_micro_batch(recipe, gpu) == 0
    with CPU_PARTS:
        assert train.choose_micro_batch(recipe, gpu) == recipe.micro_batch > 0
