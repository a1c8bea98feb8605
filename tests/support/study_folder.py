"""Made-up study folders: a short ladder, and a whole one with everything a study can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from smallvision.data.contact_sheet import write_pictures
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.schema import (
    AugmentationPicture,
    AverageClassifier,
    AveragedWeights,
    AverageRecall,
    BestMember,
    BestTrial,
    BudgetPlan,
    ChannelStatistics,
    Choices,
    ConfidentError,
    ConfusedPair,
    CostRatio,
    DataDescription,
    DuplicateCounts,
    EnsembleCandidate,
    EnsembleMember,
    EnsembleRecord,
    EnsembleStep,
    Environment,
    ErrorAnalysisRecord,
    ExplorationPictures,
    ExplorationRecord,
    FloatRange,
    GalleryImage,
    GitState,
    Goal,
    LabelIssue,
    LabelIssues,
    LadderVerdicts,
    LayerRecord,
    LedgerEntry,
    Limits,
    MemberDisagreement,
    ModelRecord,
    NetworkLength,
    NetworkPart,
    NetworkRecord,
    NetworkSpeed,
    NormalizationPictures,
    PlannedRung,
    PropertySlice,
    RungRecord,
    SeedSummary,
    SliceBin,
    SplitCounts,
    SplitRecord,
    StudyRecord,
    TestRecord,
    TrialRecord,
    TtaRecord,
    TuningRecord,
    UnfinishedRun,
    ValidationGallery,
    Verdict,
    VerdictWord,
    WinnerChoice,
)
from smallvision.records.schema.settings.networks import EnsembleSettings, WideResNetSettings
from smallvision.stats.course import judge_course
from smallvision.stats.intervals import wilson_interval
from tests.support.study_records import (
    COMPUTE,
    TEST_N,
    TRAIN_N,
    VAL_N,
    make_epochs,
    make_run_status,
    make_schedule,
    make_scores,
    make_verdict,
    score_hits,
)

NAMES = ("airplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIZE = 12  # pixels of an image
TRAIN_FINGERPRINT, TEST_FINGERPRINT = "sha256:" + "a1b2c3d4" * 8, "sha256:" + "5e6f7a8b" * 8
CREATED, FINISHED = "2026-11-22T14:40:00+00:00", "2026-11-22T15:52:00+00:00"
FAULT = "the loss became NaN in epoch 3; lower the learning rate"
COMMAND = "smallvision study made-up --preset quick"


@dataclass(frozen=True)
class Rung:
    """A made-up rung: hits of 1,000 validation and of 4,000 training images; 0 if it failed."""

    name: str
    question: str
    base: str | None
    val_hits: int
    train_hits: int
    parameters: int
    slot: str = ""
    note: str | None = None


Ladder = tuple[Rung, ...]
Judged = Mapping[str, tuple[VerdictWord, float, int | None]]  # rung -> verdict, p, needed n

WIDE, SE = 1_077_850, 1_101_402
SHORT: Ladder = (
    Rung("mlp", "Does a flat network get far?", None, 548, 2_710, 841_226),
    Rung("vgg10", "Do convolutions see more?", "mlp", 861, 3_992, 301_514),
    Rung("vgg10-aug", "Do shifted and flipped images cure it?", "vgg10", 903, 3_811, 301_514),
    Rung("wrn-aug", "Do shortcuts see more?", "vgg10-aug", 911, 3_874, WIDE),
    Rung("wrn-cutmix", "Does mixing images close the gap?", "wrn-aug", 0, 0, WIDE),
)
SHORT_STEPS: Judged = {
    "vgg10": ("better", 0.0001, None),
    "vgg10-aug": ("better", 0.0004, None),
    "wrn-aug": ("cannot tell apart", 0.41, 9_400),
}
SHORT_AGAINST_BEST: Judged = {
    "mlp": ("worse", 0.0001, None),
    "vgg10": ("worse", 0.0002, None),
    "vgg10-aug": ("cannot tell apart", 0.41, 9_400),
}
ENSEMBLE = "snapshot-ensemble"
WHOLE: Ladder = (
    Rung("mlp", "Does a flat network get far?", None, 548, 2_710, 841_226),
    Rung("vgg10", "Do convolutions see more?", "mlp", 861, 3_992, 301_514),
    Rung("vgg10-aug", "Do shifted images cure it?", "vgg10", 903, 3_811, 301_514),
    Rung("wrn", "Do shortcuts help?", "vgg10", 883, 3_996, WIDE),
    Rung("wrn-aug", "Does augmentation help here too?", "wrn", 921, 3_874, WIDE),
    Rung("wrn-cutmix", "Does mixing help?", "wrn-aug", 917, 3_610, WIDE),
    Rung("wrn-se-aug", "Do weighted channels help?", "wrn-aug", 899, 3_870, SE, "wrn-se-cutmix",
         "CutMix had not helped and was left out."),
    Rung("wrn-aug-mish", "Is Mish smoother?", "wrn-aug", 0, 0, WIDE, "wrn-se-cutmix-mish",
         "Neither CutMix nor SE had helped; both were left out."),
    Rung("tuned", "Does a search find better settings?", "wrn-aug", 926, 3_884, WIDE),
    Rung(ENSEMBLE, "Do snapshots vote better?", "tuned", 941, 3_930, 3 * WIDE),
)  # fmt: skip
CHOICE = WinnerChoice(
    epochs=14,
    rungs=9,
    from_epochs=0.002,
    from_rungs=0.004,
    sentence="These 1,000 images also chose the best of 9 rungs: expect 0.6 points less on others.",
)
WHOLE_STEPS: Judged = {
    "vgg10": ("better", 0.0001, None),
    "vgg10-aug": ("better", 0.0004, None),
    "wrn": ("better", 0.03, None),
    "wrn-aug": ("better", 0.0001, None),
    "wrn-cutmix": ("cannot tell apart", 0.71, 61_000),
    "wrn-se-aug": ("worse", 0.02, None),
    "tuned": ("cannot tell apart", 0.55, 24_000),
    ENSEMBLE: ("better", 0.004, None),
}
WHOLE_AGAINST_BEST: Judged = {
    rung.name: ("worse", 0.004, None) for rung in WHOLE if rung.val_hits and rung.name != ENSEMBLE
}


def build_study(folder: Path, names: tuple[str, ...] = NAMES, *, pictured: int = 100) -> Path:
    """Write a finished study of five rungs, the last of which failed."""
    rng = np.random.default_rng(0)
    write_ladder(folder, names, SHORT, "wrn-aug", rng)
    write_exploration(folder / "exploration", names, min(pictured, len(names)), rng)
    verdicts = LadderVerdicts(
        steps=judge(SHORT, SHORT_STEPS),
        against_best=judge(SHORT, SHORT_AGAINST_BEST, "wrn-aug"),
        winner_choice=CHOICE,
    )
    store.write(folder / "verdicts.json", verdicts)
    write_model(folder / "runs/wrn-aug", names)
    scores = make_scores(names, rng, score_hits(911, VAL_N))
    write_test(folder, TestRecord(**dict(scores), **describe_test("wrn-aug")))
    return folder


def build_whole_study(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Write a finished study of ten rungs: a search, an ensemble, errors, seeds, a refit."""
    rng = np.random.default_rng(1)
    write_ladder(folder, names, WHOLE, ENSEMBLE, rng)
    write_exploration(folder / "exploration", names, 2, rng)
    (folder / "runs/wrn-aug/recipe.toml").write_text(RECIPE, encoding="utf-8")
    verdicts = LadderVerdicts(
        steps=judge(WHOLE, WHOLE_STEPS),
        against_best=judge(WHOLE, WHOLE_AGAINST_BEST, ENSEMBLE),
        winner_choice=CHOICE,
    )
    store.write(folder / "verdicts.json", verdicts)
    store.write(folder / "runs/wrn-aug/seeds.json", SEEDS)
    store.write(make_folder(folder / "runs/tuned/tune") / "tune.json", make_search())
    write_ensemble(folder / "runs" / ENSEMBLE, rng)
    write_errors(make_folder(folder / "runs" / ENSEMBLE / "errors"), names, rng)
    write_model(folder / "runs" / ENSEMBLE, names, members=3)
    refitted = make_scores(names, rng, None)
    before = make_scores(names, rng, score_hits(941, VAL_N), differs_from_val=True, p_vs_val=0.0004)
    record = TestRecord(
        **dict(refitted), **describe_test(ENSEMBLE), refit=True, validation_model=before
    )
    write_test(folder, record)
    return folder


def write_ladder(
    folder: Path, names: tuple[str, ...], ladder: Ladder, best: str, rng: np.random.Generator
) -> None:
    """Write what every study has: its rungs with their runs, the split and the environment."""
    make_folder(folder)
    store.write(folder / "study.json", describe_study(names, ladder, best))
    store.write(folder / "split.json", make_split(len(names)))
    store.write(folder / "environment.json", ENVIRONMENT)
    for index, rung in enumerate(ladder):
        if rung.name != ENSEMBLE:
            write_run(folder / "runs" / rung.name, rung, index, rng)


ENVIRONMENT = Environment(
    python="3.11.7",
    platform="Linux",
    processor="Made-up CPU @ 3.0 GHz",
    generation=None,
    instructions="AVX2",
    memory_bytes=25_276_514_304,
    gpu=None,
    versions={"torch": "2.12.0", "numpy": None},
    git=GitState(commit="16d425b74855d7415ac448d806b5e5d9dbdad26c", changed=False),
)
RECIPE = """batch_size = 64

[optimizer]
lr = 0.1
weight_decay = 0.0005
"""
SEEDS = SeedSummary(
    seeds=(7, 8, 9),
    accuracies=(0.921, 0.914, 0.918),
    failed=(),
    mean=0.9177,
    std=0.0035,
    interval=(0.909, 0.926),
    n=VAL_N,
)


def write_model(run: Path, names: tuple[str, ...], members: int = 1) -> None:
    """The records of the saved model of a run, and those of its layers: a Wide ResNet each."""
    one = WideResNetSettings(depth=10, width=1)
    about = ModelRecord(
        model=EnsembleSettings(members=(one,) * members) if members > 1 else one,
        class_names=names,
        shape=(3, SIZE, SIZE),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        temperature=1.25,
        tta=TtaRecord(mirror=True),
        epoch=13,
    )
    layers = (
        LayerRecord(
            name="stem",
            kind="3x3 convolution",
            output=(16, SIZE, SIZE),
            parameters=432,
            multiplications=432 * SIZE**2,
        ),
        LayerRecord(name="head", kind="linear", output=(10,), parameters=650, multiplications=640),
    )
    network = NetworkRecord(
        parts=(NetworkPart(count=members, layers=layers),),
        parameters=1_082 * members,
        multiplications=(432 * SIZE**2 + 640) * members,
    )
    store.write(make_folder(run / "model") / "model.json", about)
    store.write(run / "network.json", network)


def describe_study(names: tuple[str, ...], ladder: Ladder, best: str) -> StudyRecord:
    limits = Limits(gap=0.1, parameters=4_000_000, latency_seconds=0.02)
    data = DataDescription(
        name="made-up",
        source="a random number generator",
        shape=(3, SIZE, SIZE),
        class_names=names,
        train_n=TRAIN_N + VAL_N,
        test_n=TEST_N,
        train_fingerprint=TRAIN_FINGERPRINT,
        test_fingerprint=TEST_FINGERPRINT,
        mirror_safe=True,
        notes=("The test images came as a part of their own and were sealed.",),
    )
    rungs = tuple(
        RungRecord(
            slot=rung.slot or rung.name,
            name=rung.name,
            question=rung.question,
            weakness=f"The rung below {rung.name} is weak.",
            builds_on=rung.base,
            note=rung.note,
            status="done" if rung.val_hits else "failed",
            error=None if rung.val_hits else FAULT,
        )
        for rung in ladder
    )
    return StudyRecord(
        name="made-up-quick",
        created=CREATED,
        finished=FINISHED,
        command=COMMAND,
        preset="quick",
        budget=make_budget(tuple(rung.slot for rung in rungs)),
        spent_seconds=271.0,
        seed=7,
        settings=(),
        seeds=1,
        repeat=(),
        refit=False,
        goal=Goal(limits=limits),
        data=data,
        rungs=rungs,
        best=best,
        best_reason="highest validation accuracy among the rungs within every limit",
    )


def make_budget(slots: tuple[str, ...]) -> BudgetPlan:
    """Five minutes, divided among the rungs; there was no time for a search."""
    size, passes = "WRN-10-2", 24
    planned = [
        PlannedRung(slot=slot, size=size, passes=passes, seconds=20.0, note=None) for slot in slots
    ]
    search = PlannedRung(
        slot="tuned", size="", passes=8, seconds=400.0, note="it would take 6 min 40 s"
    )
    return BudgetPlan(
        seconds=300.0,
        measured=(NetworkSpeed(size=size, train_seconds=1e-4, infer_seconds=3e-5),),
        lengths=(NetworkLength(family="wrn", size=size, passes=passes),),
        trials=6,
        snapshots=2,
        kept_seconds=8.0,
        rungs=tuple(planned),
        left_out=(search,),
    )


def share_out(total: int, K: int) -> tuple[int, ...]:
    return tuple(total // K + (index < total % K) for index in range(K))


def make_split(K: int) -> SplitRecord:
    return SplitRecord(
        seed=7,
        val_fraction=0.2,
        subset=None,
        declared_val=False,
        train_n=TRAIN_N,
        val_n=VAL_N,
        counts=SplitCounts(train=share_out(TRAIN_N, K), val=share_out(VAL_N, K)),
        train_hash="sha256:" + "11223344" * 8,
        val_hash="sha256:" + "55667788" * 8,
        data_fingerprint=TRAIN_FINGERPRINT,
        test_fingerprint=TEST_FINGERPRINT,
        duplicates=3,
    )


def judge(ladder: Ladder, found: Judged, best: str | None = None) -> tuple[Verdict, ...]:
    """Compare rungs with the one they build on, or all with the best."""
    rungs = {rung.name: rung for rung in ladder}
    verdicts = []
    for name, (word, p, needed_n) in found.items():
        against = best or rungs[name].base or ""
        difference = (rungs[name].val_hits - rungs[against].val_hits) / VAL_N
        verdicts.append(make_verdict(name, against, difference, word, p, needed_n))
    return tuple(verdicts)


def save_strip(path: Path, count: int, rng: np.random.Generator, columns: int = 12) -> str:
    """Coloured noise, a transparent pixel between images; returns the name of the file."""
    rows, columns = -(-count // columns), min(count, columns)
    sheet = np.zeros((rows * (SIZE + 1) - 1, columns * (SIZE + 1) - 1, 4), np.uint8)
    for index in range(count):
        top, left = (index // columns) * (SIZE + 1), (index % columns) * (SIZE + 1)
        tint = rng.integers(40, 216, 3)
        noise = rng.integers(-40, 40, (SIZE, SIZE, 3))
        sheet[top : top + SIZE, left : left + SIZE, :3] = tint + noise
        sheet[top : top + SIZE, left : left + SIZE, 3] = 255
    make_folder(path.parent)
    Image.fromarray(sheet, "RGBA").save(path)
    return path.name


def write_exploration(
    folder: Path, names: tuple[str, ...], pictured: int, rng: np.random.Generator
) -> None:
    def draw(name: str, count: int) -> str:
        return save_strip(folder / name, count, rng)

    bins = np.linspace(-1, 1, 64)
    channels = []
    for name, mean in (("red", 0.49), ("green", 0.48), ("blue", 0.45)):
        heights = np.exp(-((bins - 2 * (mean - 0.5)) ** 2) * 3) + 0.05 * rng.random(64)
        histogram = tuple(map(float, heights / heights.sum()))
        channels.append(ChannelStatistics(name=name, mean=mean, std=0.25, histogram=histogram))
    record = ExplorationRecord(
        n=TRAIN_N,
        shape=(3, SIZE, SIZE),
        class_names=names,
        counts=share_out(TRAIN_N, len(names)),
        imbalance=1.0,
        channels=tuple(channels),
        duplicates=DuplicateCounts(groups=2, images=5),
        averages=AverageClassifier(
            balanced_accuracy=0.6,
            classes=tuple(
                AverageRecall(
                    n=count,
                    hits=3 * count // 5,
                    interval=wilson_interval(3 * count // 5, count),
                    others=0.05,
                    p=0.0001 if index else 0.3,
                    taken_for=(index + 1) % len(names),
                )
                for index, count in enumerate(share_out(TRAIN_N, len(names)))
            ),
        ),
        implications=(
            "The classes are balanced (1.0 to 1), so accuracy is a fair metric.",
            f"The images are small ({SIZE} pixels), so no large receptive field is needed.",
        ),
        pictures=ExplorationPictures(
            random=draw("random.png", 60),
            classes=tuple(draw(f"class-{index:03d}.png", 10) for index in range(pictured)),
            averages=tuple(draw(f"average-{index:03d}.png", 1) for index in range(pictured)),
            normalization=NormalizationPictures(
                before=draw("normalization-before.png", 10),
                after=draw("normalization-after.png", 10),
            ),
            augmentations=(
                AugmentationPicture(
                    name="flip", sentence="Mirror half of them.", file=draw("flip.png", 10)
                ),
                AugmentationPicture(
                    name="crop", sentence="Shift by up to 2.", file=draw("crop.png", 10)
                ),
            ),
        ),
    )
    store.write(folder / "exploration.json", record)


def write_run(folder: Path, rung: Rung, index: int, rng: np.random.Generator) -> None:
    make_folder(folder)
    failed = rung.val_hits == 0
    top = (rung.val_hits or 400) / VAL_N, (rung.train_hits or 1_700) / TRAIN_N
    epochs = make_epochs(3, None, top, rng) if failed else make_epochs(14, 13, top, rng)
    store.write(folder / "schedule.json", make_schedule())
    store.write_lines(folder / "metrics.jsonl", epochs)
    recipe = f'seed = 7\n\n[model]\nname = "{rung.name.partition("-")[0]}"\ndepth = 10\n'
    (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
    (folder / "recipe.diff.toml").write_text("[model]\ndepth = 10\n", encoding="utf-8")
    if failed:
        status = UnfinishedRun(
            name=rung.name,
            data="made-up",
            mirror_safe=True,
            recipe_sum="sha256:" + "0" * 64,
            compute=COMPUTE,
            status="failed",
            error=FAULT,
        )
        store.write(folder / "status.json", status)
        return
    finished = make_run_status(
        rung.name,
        rung.val_hits,
        rung.train_hits,
        seconds=61.2 * (index + 1),
        parameters=rung.parameters,
        size_bytes=4 * rung.parameters,
        latency_seconds=0.0011 * (index + 1),
        images_per_second=820.0 / (index + 1),
        course=judge_course(
            epochs, score_hits(rung.train_hits, TRAIN_N), score_hits(rung.val_hits, VAL_N)
        ),
    )
    store.write(folder / "status.json", finished)


def describe_test(model: str) -> dict[str, object]:
    return {
        "model": model,
        "time": FINISHED,
        "openings": 1,
        "openings_on_machine": 1,
        "data_fingerprint": TEST_FINGERPRINT,
    }


def write_test(folder: Path, record: TestRecord) -> None:
    store.write(folder / "test.json", record)
    write_openings(folder, 1)


def write_openings(folder: Path, count: int) -> None:
    """Write a ledger of so many openings."""
    store.write_lines(folder / "ledger.jsonl", map(make_opening, range(1, count + 1)))


def make_opening(number: int) -> LedgerEntry:
    return LedgerEntry(
        opening=number,
        time=FINISHED,
        command=COMMAND,
        study="made-up-quick",
        model="wrn-aug",
        n=TEST_N,
        data_fingerprint=TEST_FINGERPRINT,
    )


def make_search() -> TuningRecord:
    """Ten trials of twelve; the winner is trial 3."""
    keys = ("optimizer.lr", "optimizer.weight_decay", "batch_size")
    trials = [
        (0, 0.1, 5e-4, 64, "complete", 0.842, 4),
        (1, 0.021, 3.1e-5, 64, "complete", 0.797, 4),
        (2, 0.44, 2.2e-3, 256, "pruned", 0.512, 1),
        (3, 0.17, 8.4e-4, 64, "complete", 0.868, 4),
        (4, 0.065, 1.2e-5, 128, "pruned", 0.604, 2),
        (5, 0.24, 1.6e-3, 64, "complete", 0.859, 4),
        (6, 0.49, 4.0e-3, 256, "failed", None, 0),
        (7, 0.13, 3.7e-4, 128, "complete", 0.851, 4),
        (8, 0.033, 1.1e-4, 64, "complete", 0.823, 4),
        (9, 0.19, 6.0e-4, 128, "pruned", 0.641, 2),
    ]
    records = tuple(
        TrialRecord(
            number=number,
            values=dict(zip(keys, values, strict=True)),
            state=state,
            accuracy=accuracy,
            epochs=epochs,
            seconds=15.3 * epochs,
            note="the loss became NaN" if state == "failed" else None,
        )
        for number, *values, state, accuracy, epochs in trials
    )
    return TuningRecord(
        recipe="wrn-aug",
        epochs=4,
        trials_asked=12,
        budget_seconds=600.0,
        sampler="TPE",
        startup_trials=5,
        pruner="hyperband",
        space=(
            FloatRange(key=keys[0], low=0.01, high=0.5, log=True),
            FloatRange(key=keys[1], low=1e-5, high=5e-3, log=True),
            Choices(key=keys[2], choices=(64, 128, 256)),
        ),
        trials=records,
        best=BestTrial(number=3, values=records[3].values, accuracy=0.868),
        importance=dict(zip(keys, (0.58, 0.17, 0.25), strict=True)),
    )


def write_ensemble(folder: Path, rng: np.random.Generator) -> None:
    """An ensemble of three of four snapshots, and the run they come from."""
    place = "members/snapshots"
    write_run(folder / place, WHOLE[-2], 9, rng)
    found = {6: 0.874, 2: 0.655, 13: 0.926, 14: 0.905}
    candidates = {
        epoch: EnsembleCandidate(
            run=place, epoch=epoch, accuracy=accuracy, loss=0.3, chosen=epoch > 2
        )
        for epoch, accuracy in found.items()
    }
    members = [
        EnsembleMember(run=place, epoch=epoch, accuracy=found[epoch], loss=0.3)
        for epoch in (13, 14, 6)
    ]
    best, averaged = score_hits(926, VAL_N, 0.28), score_hits(912, VAL_N, 0.33)
    record = EnsembleRecord(
        select="greedy",
        candidates=tuple(candidates.values()),
        members=tuple(members),
        steps=(
            EnsembleStep(members=1, accuracy=0.926, loss=0.28, gain=0.0),
            EnsembleStep(members=2, accuracy=0.936, loss=0.24, gain=0.01),
            EnsembleStep(members=3, accuracy=0.941, loss=0.22, gain=0.005),
        ),
        disagreement=((0.0, 0.071, 0.094), (0.071, 0.0, 0.083), (0.094, 0.083, 0.0)),
        single=BestMember(
            **dict(members[0]),
            interval=best.interval,
            n=VAL_N,
            latency_seconds=0.0099,
            size_bytes=4 * WIDE,
            parameters=WIDE,
        ),
        averaged_weights=AveragedWeights(
            accuracy=averaged.accuracy,
            interval=averaged.interval,
            n=VAL_N,
            loss=0.33,
            sentence="One network with averaged weights is as fast as one member, but worse.",
        ),
        against_single=make_verdict(ENSEMBLE, "snapshots at epoch 13", 0.015, "better"),
        cost=CostRatio(latency_ratio=3.0, size_ratio=3.0),
    )
    store.write(folder / "ensemble.json", record)
    status = make_run_status(
        ENSEMBLE,
        941,
        3_930,
        kind="ensemble",
        images_per_second=None,
        seconds=612.0,
        parameters=3 * WIDE,
        size_bytes=12 * WIDE,
        latency_seconds=0.0191,
    )
    store.write(folder / "status.json", status)
    for name in ("recipe.toml", "recipe.diff.toml"):
        (folder / name).write_text('[model]\nname = "wide_resnet"\n', encoding="utf-8")


def write_errors(folder: Path, names: Sequence[str], rng: np.random.Generator) -> None:
    K = len(names)

    def draw(name: str, count: int = 1) -> str:
        return save_strip(folder / name, count, rng)

    pairs = [
        ConfusedPair(
            true=true % K,
            predicted=predicted % K,
            count=count,
            reverse_count=count - 4,
            file=draw(f"pair-{number}.png", min(8, count)),
            reverse_file=draw(f"pair-{number}-reverse.png", count - 4) if count > 4 else None,
        )
        for number, (true, predicted, count) in enumerate([(3, 5, 9), (1, 9, 6), (2, 4, 4)])
    ]
    worst = [
        ConfidentError(
            index=17 + number,
            true=number % K,
            predicted=(number + 2) % K,
            confidence=0.999 - 0.01 * number,
            true_probability=0.001 * (number + 1),
            file=draw(f"worst-{number:02d}.png"),
            saliency=draw(f"worst-{number:02d}-saliency.png"),
        )
        for number in range(8)
    ]
    votes = [
        MemberDisagreement(
            index=40 + number,
            true=3 % K,
            votes=(3 % K, 5 % K, number % K),
            file=draw(f"vote-{number}.png"),
        )
        for number in range(5)
    ]
    issues = [
        LabelIssue(
            index=90 + number,
            given=number % K,
            suggested=(number + 4) % K,
            probability=0.98 - 0.02 * number,
            file=draw(f"label-{number}.png"),
        )
        for number in range(5)
    ]
    dark = "Dark images are harder than bright ones (p = 0.012)."
    even = "Contrast makes no difference that these images can show."
    record = ErrorAnalysisRecord(
        model=ENSEMBLE,
        class_names=tuple(names),
        n=VAL_N,
        errors=59,
        pairs=tuple(pairs),
        worst=tuple(worst),
        saliency="Grad-CAM",
        disagreements=tuple(votes),
        label_issues=LabelIssues(estimate=7, images=tuple(issues)),
        slices=(
            make_slice("brightness", 0.012, dark, (225, 233, 239, 244)),
            make_slice("contrast", 0.44, even, (234, 237, 233, 237)),
        ),
        gallery=write_gallery(folder, K, rng),
    )
    store.write(folder / "errors.json", record)


def write_gallery(folder: Path, K: int, rng: np.random.Generator) -> ValidationGallery:
    """Twelve images of each class on the map, around a place of its own, and two errors beside."""
    K, images = min(K, 20), []
    for k in range(K):
        for number in range(14):
            wrong = number >= 10
            spot = rng.normal((0.5 + 0.3 * np.cos(k), 0.5 + 0.3 * np.sin(k)), 0.06).clip(0, 1)
            images.append(
                GalleryImage(
                    index=100 * k + number,
                    true=k,
                    predicted=(k + 1 + number % 2) % K if wrong else k,
                    probability=round(float(rng.uniform(0.4, 1)), 3),
                    place=(float(spot[0]), float(spot[1])) if number < 12 else None,
                )
            )
    images.sort(key=lambda image: (image.true, image.predicted, -image.probability))
    columns = 12
    rows = -(-len(images) // columns)
    sheet = np.zeros((rows * (SIZE + 1) - 1, columns * (SIZE + 1) - 1, 4), np.uint8)
    for rank, image in enumerate(images):
        top, left = rank // columns * (SIZE + 1), rank % columns * (SIZE + 1)
        sheet[top : top + SIZE, left : left + SIZE] = (25 * (image.true % 10), 120, 80, 255)
    write_pictures(folder, {"gallery.webp": sheet})
    return ValidationGallery(
        file="gallery.webp",
        width=SIZE,
        height=SIZE,
        columns=columns,
        errors=4 * K,
        same_class=0.903,
        trustworthiness=0.97,
        images=tuple(images),
    )


def make_slice(name: str, p: float, sentence: str, hits: Sequence[int]) -> PropertySlice:
    edges = (0.08, 0.35, 0.47, 0.6, 0.97)
    bins = []
    for low, high, hit in zip(edges, edges[1:], hits, strict=False):
        rate = score_hits(hit, VAL_N // 4)
        bins.append(
            SliceBin(low=low, high=high, n=rate.n, accuracy=rate.accuracy, interval=rate.interval)
        )
    return PropertySlice(name=name, bins=tuple(bins), p=p, sentence=sentence)
