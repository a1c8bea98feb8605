"""What the later steps of a study left behind: a search, an ensemble, an error analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from smallvision.reporting.pictures import Picture
from smallvision.reporting.scores import Interval, Verdict


@dataclass(frozen=True)
class Dimension:
    """One setting that the search varied: a stretch of numbers, or a list of choices."""

    key: str
    kind: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One recipe that was tried; its accuracy is the best over the epochs it finished."""

    number: int
    values: dict[str, Any]
    state: Literal["complete", "pruned", "failed"]
    accuracy: float | None = None
    epochs: int | None = None
    seconds: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Best:
    """The trial that won the search."""

    number: int
    values: dict[str, Any]
    accuracy: float


@dataclass(frozen=True)
class Rerun:
    """The winner of the search and the recipe it started from, both trained anew."""

    sentence: str


@dataclass(frozen=True)
class Tuning:
    """`tune.json`: a search for better settings of a recipe, judged on validation."""

    recipe: str
    metric: str
    epochs: int
    sampler: str
    pruner: str
    space: tuple[Dimension, ...]
    trials: tuple[Trial, ...]
    best: Best | None
    startup_trials: int = 5
    trials_asked: int | None = None
    budget_seconds: float | None = None
    importance: dict[str, float] | None = None
    rerun: Rerun | None = None

    def count(self, state: str) -> int:
        """How many trials ended that way."""
        return sum(trial.state == state for trial in self.trials)


@dataclass(frozen=True)
class Candidate:
    """A snapshot that might have joined the ensemble."""

    run: str
    epoch: int
    accuracy: float
    chosen: bool


@dataclass(frozen=True)
class Member:
    """A snapshot that votes, and how accurate it is on its own."""

    run: str
    epoch: int
    accuracy: float


@dataclass(frozen=True)
class Step:
    """The ensemble after its first so many members; `gain` is what the last of them added."""

    members: int
    accuracy: float
    gain: float


@dataclass(frozen=True)
class Single:
    """The best member on its own."""

    run: str
    epoch: int
    accuracy: float
    interval: Interval
    n: int
    latency_seconds: float | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class AveragedWeights:
    """One network whose weights are the mean of the members'."""

    accuracy: float
    interval: Interval
    n: int
    sentence: str


@dataclass(frozen=True)
class EnsembleCost:
    """What the ensemble costs beside its best member."""

    latency_ratio: float | None = None
    size_ratio: float | None = None


@dataclass(frozen=True)
class Ensemble:
    """`ensemble.json`: which snapshots vote, and what each of them adds on validation."""

    select: str
    candidates: tuple[Candidate, ...]
    members: tuple[Member, ...]
    steps: tuple[Step, ...]
    disagreement: tuple[tuple[float, ...], ...]
    single: Single
    cost: EnsembleCost
    averaged_weights: AveragedWeights | None = None
    against_single: Verdict | None = None


@dataclass(frozen=True)
class ConfusedPair:
    """Two classes taken for each other, with images of both directions."""

    true: int
    predicted: int
    count: int
    reverse_count: int
    file: str | None = None
    reverse_file: str | None = None


@dataclass(frozen=True)
class WorstError:
    """An image that the model was sure of and wrong about."""

    index: int
    true: int
    predicted: int
    confidence: float
    true_probability: float
    file: str | None = None
    saliency: str | None = None


@dataclass(frozen=True)
class SplitVote:
    """An image on which the members of an ensemble disagree."""

    index: int
    true: int
    votes: tuple[int, ...]
    file: str | None = None


@dataclass(frozen=True)
class LabelIssue:
    """An image whose label the model doubts."""

    index: int
    given: int
    suggested: int
    probability: float
    file: str | None = None


@dataclass(frozen=True)
class LabelIssues:
    """The labels most in doubt, and about how many of all may be wrong."""

    estimate: int | None = None
    images: tuple[LabelIssue, ...] = ()


@dataclass(frozen=True)
class SliceBin:
    """The images of one stretch of a measurement."""

    low: float
    high: float
    n: int
    accuracy: float
    interval: Interval


@dataclass(frozen=True)
class Slice:
    """Accuracy by something one can measure of an image, such as its brightness."""

    name: str
    bins: tuple[SliceBin, ...]
    sentence: str
    p: float | None = None


@dataclass(frozen=True)
class Mistakes:
    """`errors.json`: what a model gets wrong on validation images; `pictures` by file name."""

    model: str
    n: int
    errors: int
    pairs: tuple[ConfusedPair, ...] = ()
    worst: tuple[WorstError, ...] = ()
    disagreements: tuple[SplitVote, ...] = ()
    label_issues: LabelIssues = field(default_factory=LabelIssues)
    slices: tuple[Slice, ...] = ()
    saliency: str | None = None
    pictures: dict[str, Picture | None] = field(default_factory=dict)

    @property
    def widest(self) -> int:
        """The width of the widest strip of a confused pair, in pixels."""
        files = (name for pair in self.pairs for name in (pair.file, pair.reverse_file) if name)
        found = (self.pictures.get(name) for name in files)
        return max((picture.width for picture in found if picture is not None), default=1)

    def list_classes(self) -> tuple[int, ...]:
        """List every class number that the analysis names, so that a reader can check them."""
        rows = (
            *((pair.true, pair.predicted) for pair in self.pairs),
            *((error.true, error.predicted) for error in self.worst),
            *((vote.true, *vote.votes) for vote in self.disagreements),
            *((issue.given, issue.suggested) for issue in self.label_issues.images),
        )
        return tuple(number for row in rows for number in row)

    def list_files(self) -> tuple[str, ...]:
        """List the file names of all pictures, in the order of the page."""
        names = (
            *(name for pair in self.pairs for name in (pair.file, pair.reverse_file)),
            *(name for error in self.worst for name in (error.file, error.saliency)),
            *(vote.file for vote in self.disagreements),
            *(issue.file for issue in self.label_issues.images),
        )
        return tuple(name for name in names if name is not None)
