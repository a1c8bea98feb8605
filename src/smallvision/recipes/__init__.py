"""Recipes: typed settings, their TOML files, the ladder and its presets.

Only `recipes.builders`, which builds models and optimisers, needs torch.
"""

from smallvision.recipes.ladder import Rung, build_cifar10_ladder, build_ladder, find_rung
from smallvision.recipes.overrides import follow_seed, override
from smallvision.recipes.presets import PRESETS, find_preset
from smallvision.recipes.scale import LadderScale
from smallvision.recipes.settings.recipe import Recipe
from smallvision.recipes.speednet_recipe import recipe_for_target
from smallvision.recipes.start import Start
from smallvision.recipes.task import Task
from smallvision.recipes.toml import parse_recipe, read_own_recipe, read_recipe, read_run_recipe

__all__ = [
    "PRESETS",
    "LadderScale",
    "Recipe",
    "Rung",
    "Start",
    "Task",
    "build_cifar10_ladder",
    "build_ladder",
    "find_preset",
    "find_rung",
    "follow_seed",
    "override",
    "parse_recipe",
    "read_own_recipe",
    "read_recipe",
    "read_run_recipe",
    "recipe_for_target",
]
