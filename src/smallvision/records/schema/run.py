"""The records of a run folder."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import Discriminator, Field, Tag, model_validator

from smallvision.records.schema.base import (
    Accuracies,
    Count,
    Difference,
    DifferenceInterval,
    Fraction,
    Hash,
    Interval,
    Latency,
    LearningRate,
    Loss,
    Name,
    Number,
    PathText,
    Record,
    Seconds,
    Seeds,
    Side,
    Speed,
    Text,
    Texts,
    at_most,
    check_lengths,
)
from smallvision.records.schema.measures import (
    Calibration,
    CostRatio,
    Rate,
    SetCoverage,
    Verdict,
)

Device: TypeAlias = Literal["cpu", "cuda", "mps"]
MOST_FOLDS = 100
Fit: TypeAlias = Literal["too short to judge", "underfits", "overfits", "gap", "no gap"]


class ComputeSettings(Record):
    """How a run computes; the bits of its result depend on it."""

    device: Device
    """`cpu`, `cuda` or `mps`."""
    precision: Literal["bf16", "fp32"]
    """`bf16` for matrix products and convolutions with fp32 weights, or `fp32`."""
    compiled: bool
    """Whether training steps run through `torch.compile`."""
    threads: Annotated[int, Field(ge=1, le=65_536)]
    """CPU threads."""


class DataOrigin(Record):
    """Where images were read from, and what was asked of the source; null stands for the default.

    The options are those of `smallvision.load_data`, which reads the images again by them.
    """

    place: PathText | None
    """The file or folder, as an absolute path; null for data of an installed package."""
    known_as: Name | None
    """Name of a named data set, such as `cifar10`; null for any other."""
    image_size: Side | None = None
    """Pixels a side that pictures were to have."""
    fit: Literal["crop", "pad", "stretch"] | None = None
    """How pictures of another shape were to be fitted."""
    train: PathText | None = None
    """The folder of the training images."""
    val: PathText | None = None
    """The folder of the validation images."""
    test: PathText | None = None
    """The folder of the test images."""
    config: Text | None = None
    """The configuration of a Parquet folder."""
    image_column: Text | None = None
    """The column of a table that holds images."""
    label_column: Text | None = None
    """The column of a table that holds classes."""
    label_from: Text | None = None
    """The regular expression that finds classes in file names."""
    group_by: Text | None = None
    """What keeps pictures together on one side of each split."""
    min_per_class: Number | None = None
    """The fewest training images of a class."""
    suffixes: Texts | None = None
    """Endings of further files that are pictures."""
    strict: bool | None = None
    """Whether a source with any unreadable picture was to be refused."""


class RunStatus(Record):
    """`status.json`: what is known of a run, whatever its state."""

    kind: Literal["trained", "ensemble", "refit", "all_images"] = "trained"
    """`trained`: on the training split. `ensemble`: an average of other runs. `refit`: on training
    and validation images, after a run on the training split. `all_images`: on all images, without
    any validation."""
    name: Name
    """Name of the run."""
    data: Text
    """Name of the data set."""
    origin: DataOrigin | None = None
    """Where the data set was read from, which commands take when none is named; null for arrays."""
    mirror_safe: bool
    """Whether a mirrored image keeps its class, as the run was told."""
    recipe_sum: Hash
    """SHA-256 of `recipe.toml`, which nobody may change afterwards."""
    compute: ComputeSettings | None = None
    """How it computes; null before that is decided."""
    micro_batch: Annotated[int, Field(ge=1, le=65_536)] | None = None
    """Images computed at a time since memory ran out; null while the recipe's setting holds."""
    slowdown: Annotated[float, Field(gt=0, le=1)] | None = None
    """Factor of the learning rate since a run was rolled back; null if it never was."""
    moved: bool = False
    """Whether it was resumed on another device, in another precision, or with other threads."""
    notes: Texts = ()
    """What happened to the run that a reader should know, one sentence each."""

    @property
    def is_done(self) -> bool:
        """Whether the run came to its end."""
        return isinstance(self, FinishedRun)


class UnfinishedRun(RunStatus):
    """`status.json` of a run that is under way, was stopped, failed or was pruned."""

    status: Literal["running", "failed", "pruned"]
    """`pruned` is a trial that a search gave up."""
    error: Text | None = None
    """Why it failed or was pruned, in one line."""


class FinishedRun(RunStatus):
    """`status.json` of a run that came to its end."""

    status: Literal["done"] = "done"
    """The state."""
    epochs_planned: Count
    """Epochs planned; of an ensemble, the sum over its runs."""
    epochs_done: Count
    """Epochs trained; of an ensemble, the sum over its runs."""
    best_epoch: Count
    """Epoch of the weights that were kept; of an ensemble, that of its best single member."""
    stopped: Text
    """Why it ended there."""
    seconds: Seconds
    """Training time over all sessions; of an ensemble, the sum over its runs."""
    search_seconds: Seconds = 0.0
    """Time of the search that found its settings."""
    images_per_second: Speed | None = None
    """Training speed, the median over epochs; null for an ensemble."""
    parameters: Number
    """Parameter count."""
    size_bytes: Number
    """Size of `model/model.safetensors`."""
    latency_seconds: Latency
    """Median time to classify one image, over some validation images."""
    train: Rate
    """On clean training images."""


class TrainingCourse(Record):
    """How far training had come at its last epoch, and how well the kept weights fit."""

    rising: bool
    """Whether validation accuracy was still rising beyond chance, so that a longer schedule may pay
    (`stats/course.py` says how that is decided, and what it cannot see)."""
    gain: Difference
    """What the last quarter of the epochs, or the last of several cycles, added to the best
    validation accuracy before."""
    chance: Fraction
    """What that may be by chance, at the 5 % level."""
    fit: Fit
    """`too short to judge`: under ten epochs, and most validation errors would be made on training
    images too. `underfits`: the same after ten epochs or more. `overfits`: the validation loss rose
    while the training loss fell. `gap`: training accuracy is higher beyond chance. `no gap`: it is
    not."""
    choice_lift: Fraction
    """About how much the choice of the best epoch raised the validation accuracy, by simulation."""
    sentence: Text
    """The same in words."""


class ValidatedRun(FinishedRun):
    """`status.json` of a finished run whose accuracy on validation images is known."""

    kind: Literal["trained", "ensemble", "refit"] = "trained"
    """As above; the validation figures of a `refit` are those of the run it was made from."""
    val: Rate
    """On validation images, with temperature."""
    calibration: Calibration
    """On validation images."""
    sets: Annotated[tuple[SetCoverage, ...], at_most(100)] = ()
    """Prediction sets on the validation images that they were fitted to, of several folds those of
    the first; none in records of before there were any."""
    gap: Difference
    """Training accuracy minus validation accuracy."""
    gap_interval: DifferenceInterval | None = None
    """Newcombe's 95 % interval of the gap; null in records of before there was one."""
    course: TrainingCourse | None = None
    """What its epochs say; null for an ensemble, which has none."""
    within_limits: bool | None = None
    """Whether it keeps the limits of its study; null outside a study."""
    caveats: Texts = ()
    """Sentences that every verdict on it adds."""


class AllImagesRun(FinishedRun):
    """`status.json` of a run that was trained on all images, so that none is left to validate."""

    kind: Literal["all_images"] = "all_images"
    """As above."""


def _tell_status(value: object) -> str:
    """The tag of the class that a status belongs to."""
    if isinstance(value, dict):
        status, kind = value.get("status"), value.get("kind", "trained")
    else:
        status, kind = getattr(value, "status", None), getattr(value, "kind", "trained")
    if status != "done":
        return "unfinished"
    return "all_images" if kind == "all_images" else "validated"


AnyRun: TypeAlias = Annotated[
    Annotated[UnfinishedRun, Tag("unfinished")]
    | Annotated[ValidatedRun, Tag("validated")]
    | Annotated[AllImagesRun, Tag("all_images")],
    Discriminator(_tell_status),
]
RunKind: TypeAlias = Literal["trained", "ensemble", "refit", "all_images"]
RUN_KINDS: tuple[str, ...] = get_args(RunKind)


class EpochMetrics(Record):
    """One line of `metrics.jsonl`: an epoch, measured at its end on images without augmentation.

    Where weights are averaged, the figures are those of the average once there is one.
    """

    epoch: Number
    """Counted from 1."""
    step: Count
    """Steps since the run began."""
    cycle: Number
    """Cycle of the learning rate, counted from 1."""
    lr: LearningRate
    """Learning rate of the last step."""
    loss: Loss
    """Mean loss of the augmented batches."""
    train_loss: Loss
    """Log loss on a sample of the training images."""
    train_accuracy: Fraction
    """Accuracy on the same images."""
    val_loss: Loss | None
    """Log loss on the validation images; null without any."""
    val_accuracy: Fraction | None
    """Accuracy on the validation images; null without any."""
    val_score: Fraction | None = None
    """The figure on the validation images that the recipe chooses epochs by, where that is not the
    accuracy; null otherwise."""
    train_n: Count
    """Training images measured."""
    val_n: Count
    """Validation images measured."""
    best: bool
    """Whether these are the best weights so far; without validation images, always."""
    seconds: Seconds
    """Time since training began, over all sessions."""
    images_per_second: Speed
    """Training images a second in this epoch."""
    skipped: Count
    """Steps left out because the loss or a gradient was NaN or infinite."""

    @property
    def judged(self) -> float | None:
        """The validation figure that epochs are chosen by; None without validation images."""
        return self.val_accuracy if self.val_score is None else self.val_score


class LearningRateSchedule(Record):
    """`schedule.json`: the learning rate over all planned steps, thinned for drawing."""

    kind: Name
    """Name of the schedule."""
    epochs: Count
    """Epochs planned."""
    steps_per_epoch: Number
    """Steps an epoch."""
    lr: LearningRate
    """Peak learning rate."""
    step: Annotated[tuple[Count, ...], at_most(10_000)]
    """Steps at which the rate is given, from 0."""
    value: Annotated[tuple[LearningRate, ...], at_most(10_000)]
    """Learning rate at these steps."""
    cycle_ends: Annotated[tuple[Count, ...], at_most(1000)]
    """Last step of every cycle, from 0."""

    @model_validator(mode="after")
    def check_steps(self) -> Self:
        """Each step has a value."""
        check_lengths(step=len(self.step), value=len(self.value))
        return self

    @property
    def end_epochs(self) -> tuple[int, ...]:
        """The epochs at whose ends the cycles end."""
        return tuple((end + 1) // self.steps_per_epoch for end in self.cycle_ends)


class CheckpointState(Record):
    """`checkpoints/NNN/state.json`: what training goes on from, besides the tensors."""

    epoch: Count
    """Epochs finished."""
    averaged_epochs: Count
    """Last epoch whose end the average of the weights has seen."""
    step: Count
    """Steps finished of the epoch after that."""
    skipped: Count
    """Of those steps, the ones that were left out."""
    loss_sum: Loss
    """Sum of the losses of the other steps."""
    best_epoch: Count
    """Epoch of the best weights so far; 0 before the first epoch has ended."""
    best_accuracy: Fraction | None
    """Its validation accuracy, or the figure that the recipe chooses by instead."""
    best_loss: Loss | None
    """Its validation log loss."""
    seconds: Seconds
    """Training time over all sessions."""
    stopped: Text | None
    """Why training ended; null while it goes on."""


class SeedSummary(Record):
    """`seeds.json`: a run and its finished repeats with other seeds, on one split."""

    seeds: Seeds
    """Seeds of the runs that came to their end, the first run's among them."""
    accuracies: Accuracies
    """Validation accuracy of each."""
    failed: Seeds
    """Seeds of repeats that diverged or ran out of memory; no mean includes them."""
    mean: Fraction
    """Mean accuracy over seeds."""
    std: Fraction | None
    """Sample standard deviation; null where only one run came to its end."""
    interval: Interval | None
    """Student's 95 % interval of the mean over seeds; null where only one run came to its end."""
    n: Count
    """Validation images."""

    @model_validator(mode="after")
    def check_seeds(self) -> Self:
        """Each seed has an accuracy."""
        check_lengths(seeds=len(self.seeds), accuracies=len(self.accuracies))
        return self


class FoldSummary(Record):
    """`folds.json`: a run and the same recipe on the other folds, cross-validated."""

    num_folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)]
    """Folds by which the images were divided."""
    folds: Annotated[tuple[Number, ...], at_most(MOST_FOLDS, least=1)]
    """Numbers of the folds that came to their end; 1 is the run itself."""
    accuracies: Annotated[tuple[Fraction, ...], at_most(MOST_FOLDS)]
    """Accuracy of each on the images that it left out."""
    counts: Annotated[tuple[Number, ...], at_most(MOST_FOLDS)]
    """Images that each left out."""
    failed: Annotated[tuple[Number, ...], at_most(MOST_FOLDS)]
    """Numbers of the folds that diverged or ran out of memory; no figure includes them."""
    std: Fraction | None
    """Sample standard deviation of the accuracies; null where only one fold came to its end."""
    val: Rate
    """On all images, each classified by the network that left it out; the interval is Wilson's or
    that over folds, the wider of the two."""
    calibration: Calibration
    """On the same images, with one temperature for all folds."""
    train: Rate
    """Means of the folds on their clean training images; `n` and interval are those of one fold."""

    @model_validator(mode="after")
    def check_folds(self) -> Self:
        """Each fold has an accuracy and a number of images."""
        check_lengths(
            folds=len(self.folds), accuracies=len(self.accuracies), counts=len(self.counts)
        )
        return self

    def judge(self, status: ValidatedRun) -> ValidatedRun:
        """The status of the first fold, with the figures of all folds in place of its own."""
        return status.change(
            train=self.train,
            val=self.val,
            calibration=self.calibration,
            gap=self.train.accuracy - self.val.accuracy,
        )


class Teacher(Record):
    """The model that a student learnt from."""

    name: Name
    """Name of its run."""
    model: Hash
    """Fingerprint of its weights."""
    accuracy: Fraction
    """On the validation images."""
    interval: Interval
    """Wilson's 95 % interval."""
    n: Count
    """Validation images."""
    parameters: Number
    """Parameter count."""
    size_bytes: Number
    """Size of its weights."""
    latency_seconds: Latency
    """Time to classify one image, measured in turns with the student."""


class Distillation(Record):
    """`distilled.json`: a student beside its teacher."""

    teacher: Teacher
    """Whom it learnt from."""
    against_teacher: Verdict
    """The student compared with its teacher."""
    cost: CostRatio
    """Cost of the student divided by that of its teacher."""
