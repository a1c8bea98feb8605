"""A time budget divided among the rungs of a ladder: sizes, passes, trials, and what is left out.

A plan is a function of the task, the budget and the speed of the networks, so the same speeds give
the same plan. Rungs come in an order of worth. One that cannot be trained long enough to show what
it can do is left out rather than trained for a few passes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from smallvision.format import format_duration
from smallvision.recipes.scale import (
    FAMILIES,
    SIZES,
    TRIAL_SHARE,
    Family,
    LadderScale,
    Length,
    choose_range,
)
from smallvision.recipes.task import Task
from smallvision.records.schema import PlannedRung


@dataclass(frozen=True)
class Speed:
    """How fast a network is.

    Attributes:
        train: seconds of training per image.
        infer: seconds of classifying per image.
    """

    train: float
    infer: float


# The speed of a family's network of this size.
Speeds = Callable[[Family, str], Speed]

NOMINAL = 3e11  # operations a second of a machine that nobody has measured: two cores with AVX512


def assume_speeds(task: Task) -> Speeds:
    """The speeds of a machine that nobody has measured, from the number of operations alone."""
    pixels = task.shape[1] * task.shape[2] / 32**2

    def assume(family: Family, size: str) -> Speed:
        seconds = 2e6 * SIZES[family][size].operations * pixels / NOMINAL + 1e-5
        return Speed(train=3 * seconds, infer=seconds)

    return assume


FAMILY_OF: Mapping[str, Family] = {
    "linear": "linear",
    "mlp": "mlp",
    "vgg10": "vgg",
    "vgg10-aug": "vgg",
    "wrn": "wrn",
    "wrn-aug": "wrn",
    "wrn-cutmix": "wrn",
    "wrn-se-cutmix": "wrn",
    "wrn-se-cutmix-mish": "wrn",
    "speednet": "speednet",
    "transfer": "speednet",
}
# Stages of a plan: rungs that only make sense together, in an order of worth, and the part of the
# budget that they may grow to. A part of a stage without rungs goes to the others.
STAGES: Sequence[tuple[tuple[tuple[str, ...], ...], float]] = (
    ((("linear",), ("mlp",), ("speednet",)), 0.25),
    ((("transfer",), ("vgg10", "vgg10-aug")), 0.1),
    ((("snapshot-ensemble",),), 0.15),
    (
        (
            ("wrn", "wrn-aug"),
            ("wrn-cutmix",),
            ("wrn-se-cutmix",),
            ("wrn-se-cutmix-mish",),
        ),
        0.35,
    ),
    ((("tuned",),), 0.15),
)
# Of the budget, within which a speednet and its snapshots have to fit before other rungs count.
GOOD_SOON, ENSEMBLED = 0.5, 0.6
BY_WORTH = tuple(slot for tiers, _ in STAGES for tier in tiers for slot in tier)
NEEDS: Mapping[str, str] = {  # a rung that is left out where another one is
    "wrn-cutmix": "wrn-aug",
    "wrn-se-cutmix": "wrn-aug",
    "wrn-se-cutmix-mish": "wrn-aug",
    "tuned": "wrn-aug",
}
# Passes from which mixed images begin to pay: before, a network does not know its images by heart.
CUTMIX_PAYS = {"WRN-10-2": 60, "WRN-16-2": 50, "WRN-16-4": 30, "WRN-16-8": 15}
SMALLEST: Mapping[Family, str] = {family: next(iter(SIZES[family])) for family in FAMILIES}
SNAPSHOTS = (2, 3)
SHORT = 600.0  # seconds
TRIALS = (10, 20)  # fewer are drawn at random, as the sampler has nothing to go by
# Clean training images that are measured after each epoch: half a percent of standard error is
# enough to see a gap grow. The final figure deserves more.
CLEAN_PER_EPOCH, CLEAN_AT_END = 2_000, 10_000
PER_RUN = 2.0  # seconds for what every run does besides: checkpoints, records, latency
# The share of the way from the least to the longest length that a larger network has to have, where
# doubling a length is always as far, and what doubling its operations is worth.
COMFORT: Mapping[Family, float] = {"vgg": 0.35, "wrn": 0.3, "speednet": 0.6}
WORTH: Mapping[Family, float] = {"vgg": 0.5, "wrn": 1.5, "speednet": 1.0}


@dataclass(frozen=True)
class LadderPlan:
    """What becomes of a budget.

    Attributes:
        scale: sizes and lengths.
        refit_seconds: kept for a refit of the winner.
        rungs: that are planned, in the ladder's order.
        left_out: the others, whose `seconds` are what they would need.
    """

    scale: LadderScale
    refit_seconds: float
    rungs: tuple[PlannedRung, ...]
    left_out: tuple[PlannedRung, ...]


@dataclass(frozen=True)
class Wish:
    """What is to be trained.

    Attributes:
        slots: of the rungs, in the ladder's order.
        runs: trainings of each: seeds or folds.
        refit: whether the winner is trained once more at the end.
        must: whether none of the rungs may be left out, as somebody named them.
        smallest: whether only the smallest networks, and the fewest snapshots and trials, are to be
            used.
        start: operations of the network that `transfer` begins with, in millions.
    """

    slots: Sequence[str]
    runs: int = 1
    refit: bool = False
    must: bool = False
    smallest: bool = False
    start: float = 0.0


Share: TypeAlias = tuple[list[str], float]  # slots of a stage, and seconds that it may grow to


@dataclass(frozen=True)
class Planner:
    """Divides seconds among rungs.

    Attributes:
        task: which images.
        seconds: for all training and measuring; infinite for no limit.
        speeds: of the networks.
        wish: what is to be trained.
    """

    task: Task
    seconds: float
    speeds: Speeds
    wish: Wish

    def plan(self) -> LadderPlan:
        """Choose rungs first, then stage by stage the sizes and lengths that fit."""
        chosen, left_out = self.select()
        scale = self.shortest(chosen, SMALLEST)
        stages = [
            ([slot for tier in tiers for slot in tier if slot in chosen], part)
            for tiers, part in STAGES
        ]
        whole = sum(part for slots, part in stages if slots)
        expected = self.expect(chosen)
        shares = [
            (slots, max(part / whole * self.seconds, self.add_costs(slots, expected)))
            for slots, part in stages
            if slots
        ]
        decided: set[Family] = set()
        for number in range(len(shares)):
            scale = self.grow(shares, number, decided, scale)
            decided = {
                FAMILY_OF[slot]
                for slots, _ in shares[: number + 1]
                for slot in slots
                if slot in FAMILY_OF
            }
        # What is left out keeps its least length: there may turn out to be time for that.
        scale = self.lengthen(decided, scale, (chosen, self.seconds))
        return LadderPlan(
            scale,
            self.cost_refit([self.cost(slot, scale) for slot in chosen]),
            tuple(
                self.describe(slot, scale, self.warn(slot, chosen, scale))
                for slot in self.wish.slots
                if slot in chosen
            ),
            tuple(left_out[slot] for slot in self.wish.slots if slot in left_out),
        )

    def select(self) -> tuple[list[str], dict[str, PlannedRung]]:
        """The rungs that fit beside a speednet that is trained well, and what the others take."""
        chosen: list[str] = []
        left_out: dict[str, PlannedRung] = {}
        for tiers, _ in STAGES:
            for tier in tiers:
                wanted = [slot for slot in tier if slot in self.wish.slots]
                candidate = [*chosen, *wanted]
                can_stand = all(NEEDS.get(slot, slot) in candidate for slot in wanted)
                scale = self.expect(candidate)
                if self.wish.must or (can_stand and self.fits(candidate, scale, self.seconds)):
                    chosen = candidate
                else:
                    left_out |= {slot: self.explain(slot, scale) for slot in wanted}
        return chosen, left_out

    def expect(self, chosen: Sequence[str]) -> LadderScale:
        """The shortest scale, with a speednet and snapshots that take their parts of the budget.

        What accuracy there is to be had comes from them, so they are not cut for other rungs.
        """
        scale = self.shortest(chosen, SMALLEST)
        if self.wish.smallest:
            return scale
        limits, comfort = choose_range("speednet", self.task), self.find_comfort("speednet")
        lengths = [Length(size, limits.enough) for size in reversed([*SIZES["speednet"]])]
        for length, snapshots in itertools.product(lengths[:-1], reversed(SNAPSHOTS)):
            better = replace(scale, lengths={**scale.lengths, "speednet": length})
            if snapshots * self.cost("speednet", better) <= ENSEMBLED * self.seconds:
                return replace(better, snapshots=snapshots)
        for size, least in (("speednet", comfort), ("small speednet", limits.least)):
            for passes in range(comfort, least - 1, -1):
                better = replace(scale, lengths={**scale.lengths, "speednet": Length(size, passes)})
                if self.cost("speednet", better) <= GOOD_SOON * self.seconds:
                    return better
        return scale

    def keep(
        self, families: Collection[Family], scale: LadderScale, other: LadderScale
    ) -> LadderScale:
        """A scale with the lengths of some families from another scale."""
        kept = {family: scale.lengths[family] for family in families}
        return replace(other, lengths={**other.lengths, **kept})

    def grow(
        self,
        shares: Sequence[Share],
        number: int,
        decided: Collection[Family],
        scale: LadderScale,
    ) -> LadderScale:
        """The best sizes, lengths and extras of a stage.

        Args:
            shares: the rungs of every stage, and the seconds that it may grow to.
            number: of the stage; those after it keep their least lengths, and their shares.
            decided: families of the stages before it.
            scale: of those.
        """
        chosen = [slot for slots, _ in shares for slot in slots]
        begun = [slot for slots, _ in shares[: number + 1] for slot in slots]
        of_begun = {FAMILY_OF.get(slot) for slot in begun}
        open_families = [one for one in FAMILIES if one in of_begun and one not in decided]
        found, small = [], self.wish.smallest
        sizes_of = [list(SIZES[family])[: 1 if small else None] for family in open_families]
        for sizes in itertools.product(*sizes_of):
            named = {**scale.sizes, **dict(zip(open_families, sizes, strict=True))}
            shortest = self.keep(decided, scale, self.shortest(chosen, named))
            snapshots = SNAPSHOTS if "snapshot-ensemble" in begun and not small else SNAPSHOTS[:1]
            trials = TRIALS if "tuned" in begun and not small else TRIALS[:1]
            for extras in itertools.product(snapshots, trials):
                larger = replace(shortest, snapshots=extras[0], trials=extras[1])
                if self.fits(chosen, larger, self.seconds):
                    left = self.leave(shares, number, larger)
                    both = (begun, left), (chosen, self.seconds)
                    longer = self.lengthen(open_families, larger, *both)
                    roomy = self.fits(begun, longer, left)
                    found.append((roomy, longer))
        if found:
            _, best = max(found, key=lambda one: (one[0], *self.rank(open_families, one[1])))
            return best
        shortest = self.keep(decided, scale, self.shortest(chosen, scale.sizes))
        return self.shrink(chosen, shortest) if self.wish.must else shortest

    def leave(self, shares: Sequence[Share], number: int, scale: LadderScale) -> float:
        """Seconds for the stages up to one, where the later ones get their share or need more.

        The stages up to it get no less than was expected of them when the rungs were chosen.
        """
        if math.isinf(self.seconds):
            return self.seconds
        later = (
            max(seconds, self.add_costs(slots, scale)) for slots, seconds in shares[number + 1 :]
        )
        expected = self.expect([slot for slots, _ in shares for slot in slots])
        begun = [slot for slots, _ in shares[: number + 1] for slot in slots]
        return max(self.seconds - sum(later), self.add_costs(begun, expected))

    def shortest(self, chosen: Sequence[str], sizes: Mapping[Family, str]) -> LadderScale:
        """The scale at which each chosen rung is trained just long enough."""
        lengths = {}
        for family in FAMILIES:
            least = choose_range(family, self.task).least
            if family == "wrn" and "wrn-cutmix" in chosen:
                least = max(least, self.mixing_pays(sizes[family]))
            lengths[family] = Length(sizes[family], least)
        return LadderScale(lengths, trials=TRIALS[0], snapshots=SNAPSHOTS[0])

    def mixing_pays(self, size: str) -> int:
        """Passes from which CutMix begins to pay, within those that are ever planned."""
        return min(CUTMIX_PAYS[size], choose_range("wrn", self.task).enough)

    def lengthen(
        self, families: Collection[Family], scale: LadderScale, *limits: Share
    ) -> LadderScale:
        """Lengthen some families by one share of their ranges, the largest that fits all limits."""
        best = scale
        for step in range(1, 33):
            longer = self.stretch(scale, families, step / 32)
            if not all(self.fits(slots, longer, seconds) for slots, seconds in limits):
                break
            best = longer
        return best

    def stretch(
        self, scale: LadderScale, families: Collection[Family], share: float
    ) -> LadderScale:
        """A scale with some families so far on the way from their lengths to the longest."""
        lengths = dict(scale.lengths)
        for family in families:
            length = lengths[family]
            enough = max(length.passes, choose_range(family, self.task).enough)
            passes = length.passes + math.floor(share * (enough - length.passes))
            lengths[family] = replace(length, passes=passes)
        return replace(scale, lengths=lengths)

    def shrink(self, chosen: Sequence[str], scale: LadderScale) -> LadderScale:
        """A scale that is shorter than it should be, for rungs that may not be left out."""
        for percent in range(99, 0, -1):
            lengths = {
                family: replace(length, passes=max(1, math.floor(length.passes * percent / 100)))
                for family, length in scale.lengths.items()
            }
            shorter = replace(scale, lengths=lengths)
            if self.fits(chosen, shorter, self.seconds):
                break
        return shorter

    def rank(self, families: Collection[Family], scale: LadderScale) -> tuple[bool, float]:
        """Larger networks and more snapshots are better, where they are trained in comfort."""
        spare, worth = [], scale.snapshots / 2 + scale.trials / 12
        for family in families:
            limits, passes = choose_range(family, self.task), scale.passes(family)
            spare.append(passes / self.find_comfort(family) - 1.0)
            operations = SIZES[family][scale.lengths[family].size].operations
            worth += WORTH.get(family, 0.0) * math.log2(operations)
            worth += (passes - limits.least) / max(1, limits.enough - limits.least)
        comfort = min(spare, default=0.0)
        return comfort >= 0, worth if comfort >= 0 else comfort

    def find_comfort(self, family: Family) -> int:
        """Passes that a network should have before a larger one is taken."""
        limits = choose_range(family, self.task)
        return math.ceil(
            limits.least * math.pow(limits.enough / limits.least, COMFORT.get(family, 0.0))
        )

    def fits(self, chosen: Sequence[str], scale: LadderScale, seconds: float) -> bool:
        """Whether the chosen rungs end within so many seconds."""
        costs = [self.cost(slot, scale) for slot in chosen]
        return sum(costs) + self.cost_refit(costs) <= seconds

    def cost_refit(self, costs: Sequence[float]) -> float:
        """Seconds that the winner takes once more, which may be the rung that takes longest."""
        return max(costs, default=0.0) / self.wish.runs if self.wish.refit else 0.0

    def add_costs(self, slots: Collection[str], scale: LadderScale) -> float:
        """Seconds that some rungs take together."""
        return sum(self.cost(slot, scale) for slot in slots)

    def cost(self, slot: str, scale: LadderScale) -> float:
        """Seconds that a rung takes."""
        passes = self.count_passes(slot, scale)
        speed = self.speeds(self.find_family(slot), self.find_size(slot, scale))
        measured = self.task.num_val + min(CLEAN_PER_EPOCH, self.task.num_train)
        a_pass = self.task.num_train * speed.train + measured * speed.infer
        rated = self.task.num_val + min(CLEAN_AT_END, self.task.num_train)
        once = PER_RUN + 2 * rated * speed.infer
        if slot == "tuned":
            trial = max(2, round(TRIAL_SHARE * passes)) * a_pass + once
            return scale.trials * trial + self.wish.runs * (passes * a_pass + once)
        return self.wish.runs * (passes * a_pass + once)

    def count_passes(self, slot: str, scale: LadderScale) -> int:
        """The passes of a rung; of an ensemble, those after the rung it builds on."""
        passes = scale.passes(self.find_family(slot))
        return passes * (scale.snapshots - 1) if slot == "snapshot-ensemble" else passes

    def find_size(self, slot: str, scale: LadderScale) -> str:
        """The size of a rung's network; of a start, the smallest that costs as much."""
        family = self.find_family(slot)
        if slot != "transfer":
            return scale.lengths[family].size
        sizes = SIZES[family].items()
        enough = (name for name, size in sizes if size.operations >= self.wish.start)
        return next(enough, list(SIZES[family])[-1])

    def find_family(self, slot: str) -> Family:
        """The family of a rung; tuning and the ensemble are expected to build on the strongest."""
        strong: Sequence[Family] = ("speednet", "wrn")
        strongest: Family = next((one for one in strong if one in self.wish.slots), "vgg")
        return FAMILY_OF.get(slot) or strongest

    def describe(self, slot: str, scale: LadderScale, note: str | None) -> PlannedRung:
        """A rung of a scale."""
        family = FAMILY_OF.get(slot)
        size = scale.lengths[family].size if family else ""
        if slot == "transfer":
            size = "start's speednet"
        return PlannedRung(
            slot=slot,
            size=size,
            passes=self.count_passes(slot, scale),
            seconds=self.cost(slot, scale),
            note=note,
        )

    def warn(self, slot: str, chosen: Sequence[str], scale: LadderScale) -> str | None:
        """What a rung is expected to be too short for, or None."""
        family = FAMILY_OF.get(slot)
        if family is None:
            return None
        limits, passes = choose_range(family, self.task), scale.passes(family)
        if passes < limits.least:
            return f"too short to show what it can do, which takes {limits.least} passes"
        mixes = "cutmix" in slot and "wrn-cutmix" in chosen
        if mixes and passes < self.mixing_pays(scale.lengths[family].size):
            return "too short for CutMix to pay"
        if passes < limits.enough:
            return f"more would still pay, up to about {limits.enough} passes"
        return None

    def explain(self, slot: str, scale: LadderScale) -> PlannedRung:
        """Why a rung is left out."""
        told = self.describe(slot, scale, None)
        what = f"{told.passes} passes of a {told.size}" if told.size else "it"
        return told.change(note=f"{what} would take {format_duration(told.seconds)}")


def assume_scale(seconds: float, task: Task) -> LadderScale:
    """The scale of a whole ladder on a machine that nobody has measured.

    It is what recipes are listed and trained at where no plan is made. Short budgets have the
    smallest networks, so that what is tried is tried quickly; none is too short to show what it
    can do.
    """
    slots = [slot for slot in BY_WORTH if slot != "transfer"]
    wish = Wish(slots, smallest=seconds <= SHORT)
    return Planner(task, seconds, assume_speeds(task), wish).plan().scale


@dataclass(frozen=True)
class Pace:
    """What finished rungs took beside what was planned for them.

    Attributes:
        taken: slot -> seconds taken, seconds planned.
    """

    taken: Mapping[str, tuple[float, float]]

    def compare(self, family: Family | None) -> float | None:
        """Time taken as a share of that planned, of a family's rungs; None where none is done."""
        pairs = [
            pair
            for slot, pair in self.taken.items()
            if family is None or FAMILY_OF.get(slot) == family
        ]
        planned = sum(pair[1] for pair in pairs)
        return sum(pair[0] for pair in pairs) / planned if planned else None

    def expect(self, rung: PlannedRung) -> float:
        """Seconds that a rung will take, by those of its family that are done."""
        family = FAMILY_OF.get(rung.slot)
        share = None if family is None else self.compare(family)
        return rung.seconds * (share or 1.0)

    def fear(self, rung: PlannedRung) -> float:
        """Seconds that a planned rung is given: its share, or more where all are late."""
        return rung.seconds * max(1.0, self.compare(None) or 1.0)
