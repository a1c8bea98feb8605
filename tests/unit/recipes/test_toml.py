from pathlib import Path

import pytest

from smallvision.errors import SettingError
from smallvision.recipes import PRESETS, Task, build_ladder, read_recipe
from smallvision.recipes.toml import write_toml


def test_every_rung_survives_toml(tmp_path: Path) -> None:
    for preset in PRESETS.values():
        for rung in build_ladder(preset, Task((3, 32, 32), 40_000, mirror_safe=True)):
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
