"""Recipes that hold together survive their text; what does not is explained in one line."""

from __future__ import annotations

import random
import string
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st

from smallvision.errors import SettingError
from smallvision.recipes import Recipe, build_cifar10_ladder, find_preset, parse_recipe, read_recipe
from smallvision.recipes.keys import list_keys
from smallvision.recipes.overrides import override
from smallvision.recipes.toml import write_toml
from tests.battery.outcome import Outcome

PROMISE = (
    "A recipe read from its own text is the same recipe; a faulty one is refused in one line that "
    "names the key, the value and what was expected."
)


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Round trips of drawn recipes, and mutated texts, as many of each."""
    outcome = Outcome(PROMISE)
    bases = [
        rung.recipe
        for name in ("quick", "laptop", "full")
        for rung in build_cifar10_ladder(find_preset(name).seconds)
    ]
    round_trip(bases, trials, seed, outcome)
    draw = random.Random(seed)
    path = place / "mutated.toml"
    for number in range(trials):
        text = write_toml(draw.choice(bases).plain())
        key, text = mutate(text, draw)
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        with outcome.trial(f"mutated {number} ({key})"):
            try:
                recipe = read_recipe(path)
            except SettingError as error:
                outcome.count("refused")
                check_words(str(error), key, number, outcome)
            else:
                outcome.count("still a recipe")
                outcome.expect(parse_recipe(recipe.plain()) == recipe, f"{number}: another recipe")
    return outcome


def round_trip(bases: list[Recipe], trials: int, seed: int, outcome: Outcome) -> None:
    """Draw recipes and read back what is written of them."""

    @with_seed(seed)
    @settings(
        max_examples=trials,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(recipes(bases))
    def check(recipe: Recipe) -> None:
        with outcome.trial("round trip"):
            again = parse_recipe(tomllib.loads(write_toml(recipe.plain())))
            outcome.expect(again == recipe, f"round trip: {recipe.plain()}")

    check()


def recipes(bases: list[Recipe]) -> st.SearchStrategy[Recipe]:
    """Recipes of the ladder with any numbers in them that fields allow."""

    @st.composite
    def draw_recipe(draw: st.DrawFn) -> Recipe:
        recipe = draw(st.sampled_from(bases))
        for key in draw(st.lists(st.sampled_from(list_keys(recipe.plain())), max_size=6)):
            value = find(recipe.plain(), key)
            if isinstance(value, bool):
                new: Any = draw(st.booleans())
            elif isinstance(value, int):
                new = draw(st.integers(0, 300))
            elif isinstance(value, float):
                new = draw(st.floats(0, 1))
            else:
                continue
            try:
                recipe = override(recipe, [f"{key}={str(new).lower()}"])
            except SettingError:
                continue  # out of range
        return recipe

    return draw_recipe()


def find(values: dict[str, Any], key: str) -> Any:
    """The value of a dotted key."""
    for part in key.split("."):
        values = values[part]
    return values


def mutate(text: str, draw: random.Random) -> tuple[str, str]:
    """A fault as people and disks make them: what was touched, and the text."""
    lines = text.splitlines()
    valued = [n for n, line in enumerate(lines) if " = " in line and not line.startswith("[")]
    at = draw.choice(valued)
    key, _, value = lines[at].partition(" = ")
    kind = draw.randrange(8)
    if kind == 0:
        spot = draw.randrange(len(key))
        new = key[:spot] + draw.choice(string.ascii_lowercase) + key[spot + 1 :]
        lines[at] = f"{new} = {value}"
    elif kind == 1:
        wrong = ("-1", "1e400", "nan", "'x'", "[]", "{}", "true", "0", "99999999999999999999")
        lines[at] = f"{key} = {draw.choice(wrong)}"
    elif kind == 2:
        lines.insert(at, lines[at])
    elif kind == 3:
        lines[at] = f"{key} = "
    elif kind == 4:
        lines.insert(at, f"{draw.choice(('lr', 'epoch', 'batchsize', 'colour'))} = 1")
    elif kind == 5:
        spot = draw.randrange(len(text))
        return "any", text[:spot] + draw.choice(string.printable) + text[spot + 1 :]
    elif kind == 6:
        return "any", text[: draw.randrange(len(text))]
    else:
        lines[at] = f"{key} = {'[' * 3000}"
    return key, "\n".join(lines)


def check_words(message: str, key: str, number: int, outcome: Outcome) -> None:
    """One line, not too long, about a key or a place in the text."""
    outcome.expect("\n" not in message, f"{number}: more than one line")
    outcome.expect(len(message) < 400, f"{number}: {len(message)} characters")
    words = (key, "line ", "unknown", "cannot be read", " is ", " has no name")
    points = any(word in message for word in words)
    outcome.expect(points, f"{number}: points at nothing: {message}")
