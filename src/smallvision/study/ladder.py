"""The ladder as a study climbs it: cut to the data, with the user's settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import SettingError
from smallvision.predict import SavedModel, check_start
from smallvision.recipes import LadderScale, Recipe, Rung, Task, build_ladder, find_rung, override
from smallvision.recipes.builders import check_fit
from smallvision.recipes.keys import flatten, list_keys, suggest_key
from smallvision.recipes.overrides import split_assignment
from smallvision.recipes.planning import assume_scale
from smallvision.runs.job import refuse_unknown
from smallvision.study.plan import StudyPlan
from smallvision.study.start import list_places, name_start

DRY_EPOCHS = 2
# Any task will do to find a misspelt setting before the images are loaded.
ANY_TASK = Task((3, 96, 96), 1_000, mirror_safe=True)


def describe_task(dataset: DataSet, split: Split) -> Task:
    """What the scale of a recipe depends on."""
    return Task(dataset.train.shape, len(split.train), dataset.mirror_safe, len(split.val))


@dataclass(frozen=True)
class Ladder:
    """The rungs of a study.

    Attributes:
        scale: of their networks and their training.
        rungs: all of them in order, each on the one below it.
        chosen: the slots to climb.
        repeated: those trained with every seed of the plan, the others with its first.
        settings: `key=value` for every rung that has the key.
    """

    scale: LadderScale
    rungs: tuple[Rung, ...]
    chosen: frozenset[str]
    repeated: frozenset[str]
    settings: tuple[str, ...]

    def place(self, rung: Rung, base: Recipe | None) -> Rung:
        """Set a rung on the recipe it builds on; without one, it stays on the rung below it."""
        return rung if base is None else place_rung(rung, base, self.settings)


def cut_ladder(
    plan: StudyPlan,
    task: Task | None = None,
    scale: LadderScale | None = None,
    start: SavedModel | None = None,
) -> Ladder:
    """The rungs for a task, with the overrides in place.

    Without a scale it is that of a machine that nobody has measured.

    A setting that only some rungs have (`model.depth`, `schedule.cycles`) applies to those.

    Raises:
        SettingError: an unknown preset, rung or key, a value out of range, a device that is not
            here, a teacher, a rung to repeat that is not climbed or is an ensemble, or a start that
            does not fit.
    """
    task = task or (ANY_TASK if start is None else replace(ANY_TASK, shape=start.shape))
    scale = scale or assume_scale(plan.seconds, task)
    named = None if start is None else name_start(start)
    rungs = build_ladder(scale, task, seed=plan.seed, start=named)
    chosen = frozenset(find_rung(rungs, slot).slot for slot in plan.rungs or list_slots(rungs))
    repeated = frozenset(pick_repeated(rungs, plan, chosen))
    settings = list(plan.settings)
    if plan.dry_run:
        settings = [f"epochs={DRY_EPOCHS}", "batch_size=32", *settings]
    keys = [split_assignment(text)[0] for text in settings]
    if "name" in keys:
        raise SettingError("rungs keep their names in a study; leave out name=")
    known = sorted({key for rung in rungs for key in know_keys(rung, settings)})
    for key in keys:
        if key not in known:
            raise SettingError(f"unknown setting '{key}'{suggest_key(key, known)}")
    cut = [apply_settings(rungs[0], settings)]
    for rung in rungs[1:]:
        cut.append(place_rung(rung, cut[-1].recipe, settings))
    for rung in cut:
        check_fit(rung.recipe, task.shape)
        refuse_unknown(rung.recipe, list_places(start))
        if start is not None and rung.recipe.start.model:
            check_start(start, rung.recipe.model, task.shape)
    return Ladder(scale, tuple(cut), chosen, repeated, tuple(settings))


def pick_repeated(rungs: Sequence[Rung], plan: StudyPlan, chosen: frozenset[str]) -> Iterator[str]:
    """Yield the slots of the rungs that are trained with every seed of the plan.

    Raises:
        SettingError: one that was asked for is unknown, not climbed, or an ensemble.
    """
    for slot in plan.repeat or chosen:
        rung = find_rung(rungs, slot)
        if rung.work != "ensemble":
            if rung.slot not in chosen:
                raise SettingError(f"{slot} is to be repeated, but is not among the --rungs")
            yield rung.slot
        elif plan.repeat:
            raise SettingError(f"{slot} averages one run, which --seeds does not repeat")


def list_slots(rungs: Sequence[Rung]) -> tuple[str, ...]:
    """The slots of rungs, in order."""
    return tuple(rung.slot for rung in rungs)


def place_rung(rung: Rung, base: Recipe, settings: Sequence[str]) -> Rung:
    """Build a rung on a recipe that has the user's settings, and put right what the rung undid.

    What the base has otherwise than the user said, because it was tuned, is left alone, and an
    ensemble keeps the length and the cycles without which it would be none.

    Raises:
        SettingError: a value out of range.
    """
    placed = rung.on(base)
    before, after = flatten(base.plain()), flatten(placed.recipe.plain())
    undone = [
        text
        for text in settings
        if before.get(key := split_assignment(text)[0]) != after.get(key)
        and not (rung.work == "ensemble" and key.startswith(("epochs", "schedule.", "checkpoints")))
    ]
    return apply_settings(placed, undone)


def apply_settings(rung: Rung, settings: Sequence[str]) -> Rung:
    """Override a rung's settings, as far as it has them.

    Raises:
        SettingError: a value out of range.
    """
    known = know_keys(rung, settings)
    own = [text for text in settings if split_assignment(text)[0] in known]
    return replace(rung, recipe=override(rung.recipe, own))


def know_keys(rung: Rung, settings: Sequence[str]) -> list[str]:
    """The keys of a rung's settings, once other kinds of its parts are named.

    Raises:
        SettingError: there is no such kind.
    """
    names = [text for text in settings if split_assignment(text)[0].endswith(".name")]
    return list_keys(override(rung.recipe, names).plain())
