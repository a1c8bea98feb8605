"""The public functions and classes: `import smallvision as sv` gives them.

The commands call the same functions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from smallvision.about.sheet import show
from smallvision.comparison.groups import compare_groups as compare
from smallvision.data.dataset import DataSet
from smallvision.data.loading.load import as_dataset, from_arrays, load_data
from smallvision.data.related import relate_images
from smallvision.data.split import Split, make_split
from smallvision.ensembles.build import EnsembleOptions, build_ensemble
from smallvision.ensembles.candidates import list_offered
from smallvision.ensembles.distillation import (
    check_teacher_fits,
    distill_run,
    find_teacher_run,
    name_teacher,
)
from smallvision.errors import RecordError, SettingError, UserError
from smallvision.evaluation import FinalModel, evaluate_on_test, score
from smallvision.exploration.explore import Exploration, explore_dataset
from smallvision.exporting.export import Export, count_wanted, export_model
from smallvision.exporting.options import ExportOptions
from smallvision.exporting.source import find_images, find_source
from smallvision.exporting.stage import check_place
from smallvision.format import format_duration
from smallvision.predict import load_model
from smallvision.recipes import (
    Recipe,
    build_ladder,
    find_preset,
    find_rung,
    override,
    read_recipe,
    read_run_recipe,
    recipe_for_target,
)
from smallvision.recipes.builders import check_fit, preview_catalogue
from smallvision.recipes.overrides import check_seeds
from smallvision.recipes.planning import assume_scale
from smallvision.recipes.presets import check_budget, choose_subset
from smallvision.records import store
from smallvision.records.layout import (
    RECIPE,
    STATUS,
    STUDY,
    TEST,
    TUNE,
    find_study,
    list_numbered,
    newest_folder,
    number_folder,
)
from smallvision.records.locks import claim_folder, sweep
from smallvision.records.model_folders import find_model
from smallvision.records.nofollow import exists
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import (
    ExportTarget,
    Layout,
    Limits,
    MetricName,
    SelectionName,
    StudyRecord,
    ValidatedRun,
    ValidationScores,
    WeightType,
)
from smallvision.reporting import write_report as report
from smallvision.runs.classify import classify
from smallvision.runs.explain import explain
from smallvision.runs.finished_run import find_dataset, find_finished, find_validated
from smallvision.runs.helpers import with_helpers
from smallvision.runs.job import AllImages, Job, TrainingSplit, own_models, refuse_unknown
from smallvision.runs.refit import find_test_record, load_final, refit_run
from smallvision.runs.repeats import plan_repeats, repeat_run
from smallvision.runs.results import Run, TestResult, Tuning
from smallvision.runs.train import run_recipe
from smallvision.stats.probabilities.calibration import describe_calibration, take_logs
from smallvision.stats.probabilities.coverage import measure_coverage
from smallvision.study.budget import fit_length, fit_rung, leave_rerun
from smallvision.study.climb import run_study
from smallvision.study.ladder import describe_task
from smallvision.study.plan import StudyPlan, add_metric, choose_seed, sets_epochs
from smallvision.study.start import begin_with, compare_images, find_start, list_places
from smallvision.tracking.mirror import mirrored
from smallvision.tracking.track import track
from smallvision.training import Callback, Callbacks
from smallvision.tuning.rerun import rerun_winner
from smallvision.tuning.search import check_storage
from smallvision.tuning.trials import default_epochs, shorten_trial
from smallvision.tuning.tune import SearchOptions, best_recipe, is_tuning_of, tune_recipe
from smallvision.watching.live import watch

__all__ = [
    "Callback",
    "Limits",
    "StudyPlan",
    "UserError",
    "classify",
    "compare",
    "distill",
    "ensemble",
    "evaluate",
    "explain",
    "explore",
    "export",
    "from_arrays",
    "load_data",
    "load_model",
    "mirrored",
    "report",
    "run_study",
    "show",
    "track",
    "train",
    "tune",
    "watch",
]

RUNS, TUNINGS, EXPORTS = Path("runs"), Path("tunings"), Path("exports")


def explore(
    data: DataSet | str | Path = "digits", *, data_dir: str | Path | None = None, seed: int = 0
) -> Exploration:
    """Look at the training split of a data set: figures, pictures and what they imply.

    A notebook shows the page that `smallvision explore` writes.

    Args:
        data: a data set, a name or a path.
        data_dir: where to look for a named data set first.
        seed: of the split, of the choice of images shown and of their map.

    Raises:
        DataError: the data cannot be loaded or split.

    >>> import smallvision as sv
    >>> look = sv.explore("digits")
    >>> look.record.n, len(look.record.class_names)
    (1151, 10)
    >>> look.record.implications[0]
    'The classes are balanced (1.05 to 1), so accuracy is a fair metric.'
    """
    dataset = as_dataset(data, data_dir)
    return explore_dataset(dataset, list_previews=preview_catalogue, seed=seed)


def train(
    data: DataSet | str | Path = "digits",
    recipe: Recipe | str | Path = "wrn-aug",
    *,
    preset: str = "laptop",
    budget_seconds: float | None = None,
    out: str | Path | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    data_dir: str | Path | None = None,
    seeds: int = 1,
    refit: bool = False,
    target: float | None = None,
    start: Run | str | Path | None = None,
    metric: MetricName | None = None,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Train one recipe and keep everything in a run folder.

    Args:
        data: a data set, a name or a path.
        recipe: a recipe, the name of a rung, or the path of a TOML file.
        preset: time budget of a study, which a rung is trained as a part of.
        budget_seconds: time for this training alone, repeats and refit included: a rung becomes as
            large and long as this machine can make it, a recipe has fewer epochs if it has to.
        out: run folder; by default `runs/DATA-RECIPE`, numbered if it exists.
        settings: overrides such as `"epochs=6"`.
        resume: go on with the run in `out`.
        data_dir: where to look for a named data set first.
        seeds: runs in all; those after the first take the seeds that follow, keep its split and
            lie in `out/seeds/SEED`.
        refit: train once more at the end, on training and validation images together, into
            `out/refit`; `evaluate` then tests that model, with the first run as its validation
            model.
        target: a test accuracy on CIFAR-10 for which a recipe was made before, instead of the
            rung's own settings; `recipe` is then `speednet`. With nothing left to choose, `refit`
            trains it once, on all images, without validation.
        start: a model to begin with, as for `classify`: the run takes over its network, of the
            recipe's family, and its weights but those of the head.
        metric: the validation figure by which the best epoch is chosen: `accuracy`,
            `balanced_accuracy` or `macro_f1`; by default that of the recipe.
        callbacks: told what happens.

    Raises:
        UserError: bad data, settings or folders; what was there before is untouched.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "mlp", settings=["epochs=1"], out="runs/first")
    >>> run.status.epochs_done, run.status.val.n
    (1, 287)
    >>> run.status.val.accuracy > 0.8
    True
    >>> run.load_model()
    SavedModel(mlp, 1x8x8 -> 10 classes)
    """
    began = time.perf_counter()
    find_preset(preset)
    check_budget(budget_seconds)
    settings = add_metric(settings, metric)
    if budget_seconds is not None and (target is not None or sets_epochs(settings)):
        raise SettingError("--budget says how long to train, and so does epochs= or --target")
    on_all_images = target is not None and refit
    if target is not None:
        recipe = choose_target(recipe, target)
        if choose_subset(50_000, find_preset(preset).seconds) is not None:
            raise SettingError(
                f"--target is made for all training images, and preset {preset} takes some; "
                "leave --preset out"
            )
        if start is not None:
            raise SettingError("--target is made for fresh weights; leave out --start")
    if on_all_images and seeds > 1:
        raise SettingError("--seeds compares runs on validation images, which --refit trains on")
    with with_helpers(partial(as_dataset, data, data_dir)) as ranks:
        begun = None if start is None else find_start(start)
        dataset = as_dataset(data, data_dir)
        asked = recipe
        recipe, split = plan_run(
            dataset, asked, preset=preset, settings=settings, budget_seconds=budget_seconds
        )
        if begun is not None:
            asked = recipe = begin_with(begun, recipe, dataset.train.shape, settings)
        check_fit(recipe, dataset.train.shape)
        plan_repeats(recipe, seeds)  # a seed beyond the largest is found before hours of training
        folder = Path(out) if out is not None else choose_folder(dataset, recipe, resume=resume)
        models = list_places(begun)
        refuse_unknown(recipe, (*models, *own_models(folder)))
        job = Job(dataset, split, folder, Callbacks(callbacks), models, ranks)
        with claim_folder(folder, STATUS, resume=resume):
            notes = [] if begun is None else [compare_images(begun, dataset)]
            for note in notes:
                job.callback.on_message(note)
            if budget_seconds is not None:
                runs = seeds + refit
                recipe = fit_budget(asked, recipe, job, settings, budget_seconds, runs, began)
            status = run_recipe(recipe, job, AllImages() if on_all_images else TrainingSplit())
            if new := [note for note in notes if note not in status.notes]:
                store.write(folder / STATUS, status.change(notes=(*status.notes, *new)))
            if seeds > 1:
                repeat_run(recipe, job, seeds)
            if refit and not on_all_images:
                refit_run(folder, job)
    return Run(folder)


def fit_budget(
    asked: Recipe | str | Path,
    recipe: Recipe,
    job: Job,
    settings: Sequence[str],
    seconds: float,
    runs: int,
    began: float,
) -> Recipe:
    """A recipe that a budget has the time for; a run that was begun keeps the one it has.

    Args:
        asked: what the user named; with a start, the recipe that begins with it.
        recipe: what it is without a budget, the overrides included.
        job, settings: of the run.
        seconds, runs, began: as for `plan_budget`.
    """
    if exists(job.folder / RECIPE):
        return read_run_recipe(job.folder)
    name = read_if_file(asked)
    if isinstance(name, Recipe):
        fitted = fit_length(recipe, job, seconds, runs=runs, began=began)
    else:
        task = describe_task(job.dataset, job.split)
        seed = choose_seed(settings)
        found = fit_rung(name, job, task, seconds, runs=runs, seed=seed, began=began)
        fitted = override(found, settings)
    passes = fitted.epochs * fitted.passes
    job.callback.on_message(
        f"In {format_duration(seconds)} there is time for {passes} passes over the images."
    )
    return fitted


def choose_target(recipe: Recipe | str | Path, target: float) -> Recipe:
    """The recipe made for a test accuracy on CIFAR-10.

    Raises:
        SettingError: another recipe than `speednet` was named, or none was made for the target.
    """
    if recipe != "speednet":
        raise SettingError(f"--target picks a speednet; it goes with that recipe, not '{recipe}'")
    return recipe_for_target(target)


def choose_folder(dataset: DataSet, recipe: Recipe, *, resume: bool) -> Path:
    """`runs/DATA-RECIPE`: the newest one to resume, or the next free number.

    Raises:
        RecordError: there is nothing to resume.
    """
    stem = f"{dataset.name}-{recipe.name}"
    if not resume:
        return number_folder(RUNS, stem)
    newest = newest_folder(RUNS, stem, STATUS)
    if newest is None:
        raise RecordError(f"there is no {RUNS / stem} to resume; leave out --resume, or name --out")
    return newest


def tune(
    data: DataSet | str | Path | Callable[[], DataSet] = "digits",
    recipe: Recipe | str | Path = "wrn-aug",
    *,
    trials: int = 12,
    budget_seconds: float | None = None,
    epochs: int | None = None,
    storage: str | None = None,
    seeds: int = 2,
    preset: str = "laptop",
    out: str | Path | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    data_dir: str | Path | None = None,
    metric: MetricName | None = None,
    callbacks: Sequence[Callback] = (),
) -> Tuning:
    """Search better settings for a recipe, and find out whether the gain holds.

    Args:
        data: a data set, a name, a path, or a function that loads a data set.
        recipe: a recipe, the name of a rung, or the path of a TOML file.
        trials: to finish, the recipe's own settings among them.
        budget_seconds: time for all of it: the search ends before a trial for which no time would
            be left, so that the winner can be run again.
        epochs: of a trial; by default a third of the recipe's.
        storage: an Optuna storage URL; by default a SQLite file in the folder.
        seeds: fresh ones with which the winner is run again beside the untuned recipe; 0 for none.
        preset: scale of a rung; a quick one thins large sets.
        out: folder; by default `tunings/DATA-RECIPE`, where the same search goes on by itself.
        settings: overrides such as `"epochs=6"`.
        resume: go on with the search in `out`.
        data_dir: where to look for a named data set first.
        metric: the validation figure that is maximised: `accuracy`, `balanced_accuracy` or
            `macro_f1`; by default that of the recipe.
        callbacks: told what happens.

    Raises:
        UserError: bad data, settings, folders or storage; what was there before is untouched.
        FailedRunError: no trial ran to the end.

    >>> import smallvision as sv
    >>> found = sv.tune("digits", "mlp", trials=2, seeds=0, settings=["epochs=3"])
    >>> len(found.record.trials), found.recipe.model.name
    (2, 'mlp')
    """
    began = time.perf_counter()
    find_preset(preset)
    check_budget(budget_seconds)
    check_seeds(seeds, least=0)
    check_storage(storage)
    settings = add_metric(settings, metric)
    dataset = as_dataset(data, data_dir)
    recipe, split = plan_run(dataset, recipe, preset=preset, settings=settings)
    check_fit(recipe, dataset.train.shape)
    refuse_unknown(recipe)
    epochs = epochs or default_epochs(recipe)
    shorten_trial(recipe, epochs)  # raises if no run may have so many
    if out is None:
        folder, resume = find_tuning(dataset, recipe, epochs), True
    else:
        folder = Path(out)
    job = Job(dataset, split, folder, Callbacks(callbacks))
    with claim_folder(folder, TUNE, resume=resume):
        if budget_seconds is not None:
            budget_seconds = leave_rerun(
                recipe, job, budget_seconds, epochs=epochs, seeds=seeds, began=began
            )
        options = SearchOptions(trials, budget_seconds, epochs, storage)
        record = tune_recipe(recipe, job, options)
        best_recipe(recipe, record)  # raises if there is none
        if seeds:
            rerun_winner(recipe, job, record, seeds=seeds, storage=storage)
    return Tuning(folder)


def find_tuning(dataset: DataSet, recipe: Recipe, epochs: int) -> Path:
    """`tunings/DATA-RECIPE`: the one that holds this search, or the next free number."""
    stem = f"{dataset.name}-{recipe.name}"
    for folder in list_numbered(TUNINGS, stem):
        if is_tuning_of(folder, recipe, epochs):
            return folder
    return number_folder(TUNINGS, stem)


def plan_run(
    dataset: DataSet,
    recipe: Recipe | str | Path,
    *,
    preset: str,
    settings: Sequence[str],
    budget_seconds: float | None = None,
) -> tuple[Recipe, Split]:
    """Find the recipe, apply the overrides and split by the seed that results.

    Raises:
        SettingError: no such recipe or setting.
        DataError: the images cannot be split.
    """
    seconds = budget_seconds or find_preset(preset).seconds

    def split_by(seed: int) -> Split:
        return make_split(
            dataset.train,
            val=dataset.val,
            subset=choose_subset(len(dataset.train), seconds),
            seed=seed,
            related=relate_images(dataset.train, dataset.groups, dataset.alike),
        )

    found = read_if_file(recipe)
    if isinstance(found, Recipe):
        found = override(found, settings)
        return found, split_by(found.seed)
    split = split_by(choose_seed(settings))
    return build_rung(found, dataset, split, preset=preset, settings=settings), split


def read_if_file(recipe: Recipe | str | Path) -> Recipe | str:
    """A recipe, read where it is a TOML file; else the name of a rung.

    Raises:
        SettingError: the file cannot be read.
    """
    if isinstance(recipe, Recipe):
        return recipe
    return read_recipe(Path(recipe)) if Path(recipe).suffix == ".toml" else str(recipe)


def build_rung(
    name: str, dataset: DataSet, split: Split, *, preset: str, settings: Sequence[str]
) -> Recipe:
    """The recipe of a rung, cut to the images of a split, with overrides.

    Raises:
        SettingError: no such rung, preset or setting.
    """
    task = describe_task(dataset, split)
    scale = assume_scale(find_preset(preset).seconds, task)
    ladder = build_ladder(scale, task, seed=choose_seed(settings))
    return override(find_rung(ladder, name).recipe, settings)


def evaluate(
    run: Run | str | Path,
    data: DataSet | str | Path | None = None,
    *,
    data_dir: str | Path | None = None,
    command: str = "smallvision.evaluate()",
) -> TestResult:
    """Open the sealed test set for a run, and write that down.

    Where the run was trained once more with its validation images (`refit/`), that model is
    tested, with the run itself beside it. A run of a study is entered in the study's ledger, any
    other in its own. A second opening is allowed and counted, never silent. The figures go to
    `test.json` in the run's folder; the study's own test result stays that of its winner.

    Args:
        run: a run or its folder; of a study, its winner is taken.
        data: the data set it was trained on, by value, name or path; None for the one that the run
            remembers.
        data_dir: where to look for a named data set first.
        command: for the ledger.

    Raises:
        DataError: this is not the data the run was trained on, or it must be named.
        RecordError: the run, or the study it belongs to, is unfinished or damaged.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "mlp", settings=["epochs=1"], out="runs/tested")
    >>> result = sv.evaluate(run)
    >>> result.record.n, result.record.openings
    (359, 1)
    >>> sv.evaluate(run).record.openings  # a second look is counted
    2
    """
    folder, status = find_finished(run)
    if status.kind == "refit":  # what is known of validation is known of its validation model
        folder, status = find_validated(folder.parent)
    study = find_study(folder)
    if study is not None and store.read(study / STUDY, StudyRecord).best is None:
        raise RecordError(
            f"the study {study} has not chosen its best rung yet; finish it with --resume before "
            "the test set is opened"
        )
    model, validation_model = load_final(folder)
    dataset, _ = find_dataset(folder, data, data_dir)
    val = status.val if isinstance(status, ValidatedRun) else None
    final = FinalModel(status.name, model, val, validation_model)
    record = evaluate_on_test(final, dataset, study or folder, command=command)
    store.write(folder / TEST, record)
    sweep(folder)  # of what a kill left of an earlier test
    return TestResult(record)


def score_validation(run: Run | str | Path) -> ValidationScores:
    """Score a run on its validation images again, from the predictions it kept; opens nothing.

    Raises:
        RecordError: the run is unfinished or damaged.
    """
    folder, status = find_validated(run)
    model = load_model(folder)
    _, labels, probabilities = read_predictions(folder, len(model.class_names))
    logits = model.temperature * take_logs(probabilities)  # as before the temperature
    return score(probabilities, labels, model.class_names).extend(
        ValidationScores,
        model=status.name,
        calibration=describe_calibration(logits, labels, model.temperature),
        sets=measure_coverage(probabilities, labels, model.sets),
    )


def ensemble(
    *runs: Run | str | Path,
    data: DataSet | str | Path | None = None,
    members: int = 3,
    select: SelectionName = "greedy",
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
) -> Run:
    """Average the networks of finished runs and keep the outcome in a run folder of its own.

    The candidates are the snapshots at the ends of a run's cycles, or the final models of several
    runs; they are compared on validation images, and the test set stays sealed.

    Args:
        runs: finished runs, or their folders; a study stands for its finished rungs.
        data: the data set they were trained on; by default the one that the first of them
            remembers.
        members: the most networks to average.
        select: `greedy`, `last` or `all`, as in `ensembles.build.EnsembleOptions`.
        out: folder; by default `runs/DATA-ensemble`, numbered if it exists.
        data_dir: where to look for a named data set first.

    Raises:
        UserError: runs that do not belong together, other data, or a folder in use.

    >>> import smallvision as sv
    >>> first = sv.train("digits", "mlp", settings=["epochs=1"])
    >>> second = sv.train("digits", "linear", settings=["epochs=1"])
    >>> both = sv.ensemble(first, second, select="all")
    >>> both
    Run('runs/digits-ensemble', ensemble: ...
    """
    if not runs:
        raise RecordError("an ensemble needs at least one finished run")
    options = EnsembleOptions(members=members, select=select)
    folders = [folder for run in runs for folder in list_offered(run)]
    dataset, split = find_dataset(folders[0], data, data_dir)
    folder = number_folder(RUNS, f"{dataset.name}-ensemble") if out is None else Path(out)
    build_ensemble(folders, Job(dataset, split, folder), options)
    return Run(folder)


def distill(
    teacher: Run | str | Path,
    recipe: Recipe | str | Path | None = None,
    *,
    data: DataSet | str | Path | None = None,
    preset: str = "laptop",
    out: str | Path | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    data_dir: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Train one network to answer as a finished run does, such as an ensemble, at its own cost.

    Training is that of the recipe, on the teacher's own split, but for its targets: `teacher.share`
    of each is what the teacher thinks of that very image. The test set stays sealed.

    Args:
        teacher: a finished run, or its folder; of a study, its winner is taken.
        recipe: of the student: a recipe, the name of a rung, or the path of a TOML file; by
            default the one the teacher was trained by.
        data: the data set the teacher was trained on; by default the one that it remembers.
        preset: scale of a rung.
        out: run folder; by default `runs/DATA-RECIPE-distilled`, numbered if it exists.
        settings: overrides such as `"teacher.share=0.5"`.
        resume: go on with the run in `out`.
        data_dir: where to look for a named data set first.
        callbacks: told what happens.

    Raises:
        UserError: a teacher that is unfinished or has seen the validation images, other data, bad
            settings or folders; what was there before is untouched.

    >>> import smallvision as sv
    >>> teacher = sv.train("digits", "mlp", settings=["epochs=1"])
    >>> student = sv.distill(teacher, "linear", settings=["epochs=1"])
    >>> student.status.name
    'linear-distilled'
    """
    find_preset(preset)
    source = find_teacher_run(teacher)
    dataset, split = find_dataset(source, data, data_dir)
    found = read_run_recipe(source) if recipe is None else read_if_file(recipe)
    if isinstance(found, str):
        found = build_rung(found, dataset, split, preset=preset, settings=settings)
    else:
        found = override(found, settings)
    recipe = name_teacher(found, source)
    check_fit(recipe, dataset.train.shape)
    check_teacher_fits(source, recipe)
    refuse_unknown(recipe, (find_model(source), *own_models(source)))
    folder = Path(out) if out is not None else choose_folder(dataset, recipe, resume=resume)
    with claim_folder(folder, STATUS, resume=resume):
        distill_run(source, recipe, Job(dataset, split, folder, Callbacks(callbacks)))
    return Run(folder)


def export(
    model: Run | str | Path,
    *,
    to: ExportTarget = "onnx",
    out: str | Path | None = None,
    data: DataSet | str | Path | None = None,
    layout: Layout = "nhwc",
    weights: WeightType = "fp32",
    tolerance: float = 0.005,
    licence: str = "",
    push: str | None = None,
    data_dir: str | Path | None = None,
) -> Export:
    """Make a finished model ready for other programs, and check that it answers the same there.

    The answers are compared with those of the model on validation images; the test set stays
    sealed. What answers differently, or loses more accuracy than it may, is not kept.

    Args:
        model: a finished run or its folder, a study, whose winner is taken, the folder of a saved
            model, or the name of one that comes with the package, such as `cifar10`.
        to: `onnx`, one file for ONNX runtimes and `smallvision.serving.runner`; `torch`, a program
            for torch without this package; `hub`, a folder for the Hugging Face Hub, from which
            `load_model` reads the model too.
        out: folder; by default `exports/NAME`, numbered if it exists.
        data: the data set it was trained on; by default the one that its run remembers.
        layout: order of the dimensions of the input: `nhwc` or `nchw`.
        weights: type that ONNX stores them as: `fp32`, `fp16` or `int8`.
        tolerance: accuracy on validation that `fp16` and `int8` may lose, a fraction.
        licence: under which the model is passed on, such as `mit`.
        push: a repository of the Hub that the folder is sent to, `ACCOUNT/NAME`.
        data_dir: where to look for a named data set first.

    Raises:
        UserError: no finished model, other data, a folder in use, a library that is not installed,
            or answers that differ; nothing is kept.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "mlp", settings=["epochs=1"])
    >>> exported = sv.export(run, to="torch")
    >>> exported.record.check.same_class == exported.record.check.n
    True
    """
    options = ExportOptions(to, layout, weights, tolerance, licence, push)
    options.check_installed()
    if out is not None:
        check_place(Path(out))  # before seconds of loading
    source = find_source(model.folder if isinstance(model, Run) else Path(model))
    images = find_images(
        source, data, data_dir, most=count_wanted(options), labelled=weights != "fp32"
    )
    folder = number_folder(EXPORTS, source.name) if out is None else Path(out)
    return export_model(source, images, folder, options)


def find_test(run: Run) -> TestResult | None:
    """The result of an earlier test of a run, if it was of the very same weights."""
    record = find_test_record(run.folder / TEST, run.folder)
    return TestResult(record) if record else None
