"""What `import smallvision as sv` offers; the commands call the same functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.explore import Exploration, explore_images
from smallvision.data.load import as_dataset
from smallvision.data.split import Split, make_split, read_split
from smallvision.errors import DataError, RecordError
from smallvision.evaluation import evaluate_on_test
from smallvision.predict import fingerprint_model, load_model
from smallvision.recipes import (
    Recipe,
    Task,
    build_ladder,
    find_preset,
    find_rung,
    override,
    read_recipe,
)
from smallvision.recipes.build import build_machine, check_fit
from smallvision.records.files import read_json, write_json
from smallvision.records.folder import (
    STATUS,
    STUDY,
    check_folder,
    find_study,
    lock_folder,
    newest_folder,
    number_folder,
)
from smallvision.study.outcome import Run, TestResult
from smallvision.study.plan import StudyPlan
from smallvision.study.repeats import plan_repeats, repeat_run
from smallvision.study.run import run_recipe
from smallvision.training import Watcher

RUNS = Path("runs")


def explore(
    data: DataSet | str | Path = "digits", *, data_dir: str | Path | None = None, seed: int = 0
) -> Exploration:
    """Look at the training split of a data set: figures, pictures and what they imply.

    Args:
        data: a data set, a name or a path.
        data_dir: where to look for a named data set first.
        seed: of the split and of the choice of images shown.

    Raises:
        DataError: the data cannot be loaded or split.
    """
    dataset = as_dataset(data, data_dir)
    split = make_split(dataset.train, val=dataset.val, seed=seed)
    return explore_images(
        dataset.train.take(split.train),
        mirror_safe=dataset.mirror_safe,
        num_val=len(split.val),
        seed=seed,
    )


def train(
    data: DataSet | str | Path = "digits",
    recipe: Recipe | str | Path = "wrn-aug",
    *,
    preset: str = "laptop",
    out: str | Path | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    data_dir: str | Path | None = None,
    watchers: Sequence[Watcher] = (),
    seeds: int = 1,
    watchers_for: Callable[[Recipe], Sequence[Watcher]] | None = None,
) -> Run:
    """Train one recipe and keep everything in a run folder.

    Args:
        data: a data set, a name or a path.
        recipe: a recipe, the name of a rung, or the path of a TOML file.
        preset: scale at which a rung is trained; a quick one thins large sets.
        out: run folder; by default `runs/DATA-RECIPE`, numbered if it exists.
        settings: overrides such as `"epochs=6"`.
        resume: go on with the run in `out`.
        data_dir: where to look for a named data set first.
        watchers: told of every step and epoch.
        seeds: runs in all; those after the first take the seeds that follow, keep its split and
            lie in `out/seeds/SEED`.
        watchers_for: called with a repeat's recipe before it begins; by default, `watchers` again.

    Raises:
        UserError: bad data, settings or folders; what was there before is untouched.
    """
    find_preset(preset)
    dataset = as_dataset(data, data_dir)
    recipe, split = plan_run(dataset, recipe, preset=preset, settings=settings)
    check_fit(recipe, dataset.train.shape)
    plan_repeats(recipe, seeds)  # a seed beyond the largest is found before hours of training
    folder = Path(out) if out is not None else choose_folder(dataset, recipe, resume=resume)
    check_folder(folder, STATUS, resume=resume)  # before the lock, which makes the folder
    with lock_folder(folder):
        check_folder(folder, STATUS, resume=resume)  # and after it: now nobody else can write
        run_recipe(recipe, dataset, split, folder, watchers=watchers)
        if seeds > 1:
            again = watchers_for or (lambda _recipe: watchers)
            repeat_run(recipe, dataset, split, folder, seeds, watchers_for=again)
    return Run(folder)


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


def plan_run(
    dataset: DataSet, recipe: Recipe | str | Path, *, preset: str, settings: Sequence[str]
) -> tuple[Recipe, Split]:
    """Find the recipe, apply the overrides and split by the seed that results.

    Raises:
        SettingError: no such recipe or setting.
        DataError: the images cannot be split.
    """
    scale = find_preset(preset)

    def split_by(seed: int) -> Split:
        return make_split(
            dataset.train,
            val=dataset.val,
            subset=scale.subset(len(dataset.train)),
            seed=seed,
        )

    if not isinstance(recipe, Recipe) and Path(recipe).suffix == ".toml":
        recipe = read_recipe(Path(recipe))
    if isinstance(recipe, Recipe):
        recipe = override(recipe, settings)
        return recipe, split_by(recipe.seed)
    seed = StudyPlan(settings=tuple(settings)).seed
    split = split_by(seed)
    task = Task(dataset.train.shape, len(split.train), dataset.mirror_safe)
    ladder = build_ladder(scale, task, seed=seed)
    return override(find_rung(ladder, str(recipe)).recipe, settings), split


def evaluate(
    run: Run | str | Path,
    data: DataSet | str | Path,
    *,
    data_dir: str | Path | None = None,
    command: str = "smallvision.evaluate()",
) -> TestResult:
    """Open the sealed test set for a run, and write that down.

    A run of a study is entered in the study's ledger, any other in its own. A second opening
    is allowed and counted, never silent. The figures go to `test.json` in the run's folder; the
    study's own test result stays that of its winner.

    Args:
        run: a run or its folder.
        data: the data set it was trained on, by value, name or path.
        data_dir: where to look for a named data set first.
        command: for the ledger.

    Raises:
        DataError: this is not the data the run was trained on.
        RecordError: the run, or the study it belongs to, is unfinished or damaged.
    """
    folder = run.folder if isinstance(run, Run) else Path(run)
    if (folder / STUDY).exists():
        best = read_json(folder / STUDY).get("best")
        raise RecordError(
            f"{folder} is a study; name one of its runs, such as {folder}/runs/{best}"
        )
    status = read_json(folder / STATUS)
    if status["status"] != "done":
        raise RecordError(f"{folder} is not finished ({status['status']}); resume it first")
    study = find_study(folder)
    if study is not None and read_json(study / STUDY).get("best") is None:
        raise RecordError(
            f"the study {study} has not chosen its best rung yet; finish it with --resume before "
            "the test set is opened"
        )
    model = load_model(folder, build_machine(read_recipe(folder / "recipe.toml")))
    dataset = as_dataset(data, data_dir)
    read_split(folder)
    split = read_json(folder / "split.json")
    ours = (dataset.train.fingerprint, dataset.test.fingerprint)
    if (split["data_fingerprint"], split.get("test_fingerprint")) != ours:
        raise DataError(
            f"{folder} was trained on other images than '{dataset.name}'; name the data set it was "
            "trained on"
        )
    record = evaluate_on_test(
        model,
        dataset,
        study or folder,
        name=status["name"],
        command=command,
        val=status["val"],
    )
    write_json(folder / "test.json", record)
    return TestResult(record)


def find_test(run: Run) -> TestResult | None:
    """The result of an earlier test of a run, if it was of the very same weights."""
    path = run.folder / "test.json"
    if not path.exists() or read_json(path).get("weights") != fingerprint_model(run.folder):
        return None
    return TestResult(read_json(path))
