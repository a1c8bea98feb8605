"""`smallvision recipes`: what `train` accepts, and a recipe to begin with."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.recipes import show_ladder, show_parts
from smallvision.recipes import build_cifar10_ladder
from tests.support.commands import FAST, Outcome, assert_refused

Call = Callable[..., Outcome]


def test_recipes_are_as_wide_as_the_terminal() -> None:
    console = PlainConsole(file=io.StringIO(), width=80)
    show_ladder("laptop", "An hour.", build_cifar10_ladder(3600.0), console)
    show_parts(console)
    assert max(map(len, console.file.getvalue().splitlines())) <= 80


def test_recipes_do_not_wrap_in_a_pipe(smallvision: Call) -> None:
    keys = [line for line in smallvision("recipes").out.splitlines() if "batch_size, " in line]
    assert len(keys) == 1
    assert len(keys[0]) > 200


def test_recipes_say_what_train_accepts(smallvision: Call) -> None:
    listed = smallvision("recipes")
    assert listed.code == 0, listed.err
    for word in ("wrn-aug", "wide_resnet", "cutout", "sgdr", "arXiv 1608.03983", "stopping.unit",
                 "--set averaging.name=", "swa", "decay=0.999", "arXiv 1803.05407"):  # fmt: skip
        assert word in listed.out


def test_an_unknown_recipe_or_preset_is_refused(smallvision: Call) -> None:
    assert_refused(smallvision("recipes", "--preset", "quik"), "unknown preset")
    assert_refused(smallvision("recipes", "wrn-agu"), "did you mean 'wrn-aug'")


def test_a_printed_recipe_can_be_trained(smallvision: Call, tmp_path: Path) -> None:
    printed = smallvision("recipes", "mlp", "--preset", "quick")
    mine = tmp_path / "mine.toml"
    mine.write_text(printed.out)
    trained = smallvision("train", "digits", mine, "--out", tmp_path / "run", *FAST)
    assert trained.code == 0, trained.err
