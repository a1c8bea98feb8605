import os
from pathlib import Path

import pytest

from smallvision.errors import SettingError
from smallvision.recipes import PRESETS, build_cifar10_ladder, read_recipe
from smallvision.recipes.toml import parse_recipe, write_toml


def test_every_rung_survives_toml(tmp_path: Path) -> None:
    for preset in PRESETS.values():
        for rung in build_cifar10_ladder(preset.seconds):
            path = tmp_path / f"{rung.name}.toml"
            path.write_text(write_toml(rung.recipe.plain()))
            assert read_recipe(path) == rung.recipe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", "did you mean 'epochs'"),
        ("[model]\nname = 'vgg10'\nwidht = 3", "did you mean 'model.width'"),
        ("[model]\ndepth = 16", "no name"),
        ("[averaging]\ndecay = 0.9", "averaging.name to one of none, ema, swa"),
        ("[averaging]\nname = 'ema'\ndecay = 1.0", "averaging.decay is 1.0"),
        ("[averaging]\nname = 'ema'\ndecai = 0.9", "did you mean 'averaging.decay'"),
        ("[optimizer]\nname = 'sam'\nrh = 0.1", "did you mean 'optimizer.rho'"),
        ("[optimizer]\nname = 'sam'\nrho = 0", "optimizer.rho is 0"),
        ("[optimizer]\nrho = 0.1", "optimizer has no name"),
        ("optimizer = 3", "optimizer"),
        ("epochs = ", "cannot be read"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_helpful_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(SettingError) as caught:
        read_recipe(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("augment = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        (".".join(["a"] * 5000) + " = 1", "nested too deeply"),
        (f"augment = {['flip'] * 33}", "expected at most 32 entries"),
        (f"[model]\nname = 'mlp'\nhidden = {[1] * 65}", "expected at most 64 entries"),
        (f"[model]\nname = 'speednet'\nwidths = {['a'] * 65}", "expected at most 64 entries"),
        ("random_crop_phase = [" + "{}," * 33 + "]", "expected at most 32 entries"),
        ("epochs = 0x" + "f" * 10_000, "epochs is a value beyond all bounds"),
        ("k" * 10_000 + " = 1", "…'"),
        ("# a comment\n" * 6000, "expected at most 64,000"),
    ],
)
def test_a_recipe_is_bounded(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(SettingError) as caught:
        read_recipe(path)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "recipe.toml")
    with pytest.raises(SettingError, match="no regular file"):
        read_recipe(tmp_path / "recipe.toml")


def test_lists_up_to_their_limits_are_recipes() -> None:
    values = {
        "augment": ["flip"] * 32,
        "random_crop_phase": [{"until": 0.5, "side": 16}] * 32,
        "model": {"name": "mlp", "hidden": [1] * 64},
    }
    assert len(parse_recipe(values).augment) == 32


def test_lists_are_counted_before_their_entries_are_looked_at() -> None:
    for field, entry in (("augment", 1), ("random_crop_phase", {})):
        with pytest.raises(SettingError, match=f"{field} is a list of 1,000; expected at most 32"):
            parse_recipe({field: [entry] * 1000})
