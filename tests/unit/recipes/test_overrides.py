"""Settings as `key=value`."""

import pytest

from smallvision.errors import SettingError
from smallvision.recipes import Recipe, follow_seed, override, parse_recipe
from smallvision.recipes.settings.optimization import SamSettings


def test_overrides() -> None:
    recipe = override(
        Recipe(),
        [
            "epochs=6",
            "optimizer.lr=0.05",
            "model.width=3",
            "model.name=vgg10",
            'augment=["flip", {name = "crop", padding = 2}]',
            "schedule.name=cosine",
        ],
    )
    assert (recipe.epochs, recipe.optimizer.lr) == (6, 0.05)
    assert (recipe.model.name, recipe.model.width) == ("vgg10", 3)
    assert [a.name for a in recipe.augment] == ["flip", "crop"]
    assert recipe.schedule.name == "cosine"


def test_parts_that_come_in_kinds_are_chosen_by_name() -> None:
    recipe = override(
        Recipe(),
        [
            "optimizer.rho=0.1",  # its key exists once the name below is read
            "optimizer.name=sam",
            "optimizer.adaptive=true",
            "averaging.name=ema",
            "averaging.decay=0.99",
        ],
    )
    assert recipe.plain()["optimizer"] == {
        **SamSettings().model_dump(),
        "rho": 0.1,
        "adaptive": True,
    }
    assert recipe.plain()["averaging"] == {"name": "ema", "decay": 0.99}


def test_the_name_that_is_there_changes_nothing() -> None:
    small = parse_recipe({"model": {"name": "wide_resnet", "depth": 10, "width": 2}})
    assert override(small, ["model.name=wide_resnet", "epochs=3"]).model == small.model
    assert override(small, ["model.name=vgg10"]).model.width != 2


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("epoch=6", "did you mean 'epochs'"),
        ("lr=0.1", "did you mean 'optimizer.lr'"),
        ("model.wdth=2", "did you mean 'model.width'"),
        ("optimizer.momentm=0.5", "did you mean 'optimizer.momentum'"),
        ("schedule.name=cosin", "did you mean 'cosine'"),
        ("optimizer.name=samm", "did you mean 'sam'"),
        ("optimizer.rho=0.1", "unknown setting 'optimizer.rho'"),
        ("averaging.name=eam", "did you mean 'ema'"),
        ("averaging.decay=0.9", "unknown setting 'averaging.decay'"),
        ("augment=['flp']", "did you mean 'flip'"),
        ("model.name=inception", "vgg10, wide_resnet"),
        ("epochs", "key=value"),
        ("=3", "key=value"),
        ("epochs=0", "greater than or equal to 1"),
        ("epochs=many", "valid integer"),
        ("epochs=2.5", "valid integer"),
        ("optimizer.lr=-1", "optimizer.lr is -1; input should be greater than 0"),
        ("optimizer.lr=nan", "finite number"),
        ("model.depth=12", "6n + 4"),
        ("model=mlp", "did you mean 'model.name'"),
        ("stopping=3", "its parts: stopping.patience, stopping.unit"),
        ("epochs=true", "epochs is True; expected a number"),
        ("optimizer.lr=true", "optimizer.lr is True; expected a number"),
        ("model.name.x=3", "unknown setting"),
        ("a.b.c.d=1", "unknown setting"),
        (
            "random_crop_phase=[{until=2,side=28}]",
            "random_crop_phase.0.until is 2; input should be less",
        ),
        ("random_crop_phase=[{side=28}]", "random_crop_phase.0.until is missing"),
        ("augment=[{name='crop',padding=-1}]", "augment.0.padding is -1"),
        ("augment=[{name='crop',paddin=1}]", "did you mean 'augment.0.padding'"),
        ("augment=[3]", "augment.0 is 3; expected a table"),
        ("random_crop_phase=[3]", "random_crop_phase.0 is 3; expected a table"),
        ("augment=[flip]", "such as \"augment=['flip','crop']\""),
        ("augment=[{name='random_erasing',area=3}]", "augment.0.area is 3; expected a list"),
    ],
)
def test_a_wrong_setting_is_one_helpful_line(setting: str, said: str) -> None:
    with pytest.raises(SettingError) as caught:
        override(Recipe(), [setting])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_seeds_follow_each_other() -> None:
    recipe = Recipe(name="a", seed=7)
    assert follow_seed(recipe, 0) == recipe
    assert follow_seed(recipe, 2) == Recipe(name="a", seed=9)
    with pytest.raises(SettingError, match="seed is 2147483649"):
        follow_seed(Recipe(seed=2**31), 1)
