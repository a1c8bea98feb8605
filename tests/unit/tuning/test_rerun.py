"""The rerun with fresh seeds: which runs it counts, and what may be said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallvision.comparison.groups import compare_groups
from smallvision.data.dataset import DataSet
from smallvision.recipes import read_recipe
from smallvision.records import store
from smallvision.records.layout import STATUS, TUNE, read_status
from smallvision.records.schema import BestTrial, RerunRecord, TuningRecord, UnfinishedRun
from smallvision.runs.finished_run import find_validated
from smallvision.runs.job import Job
from smallvision.stats.paired import Correct
from smallvision.tuning.rerun import describe_rerun, judge_rerun, rerun_winner
from tests.support.answers import draw_answers
from tests.support.comparisons import write_finished_run
from tests.support.runs import make_job
from tests.support.tuning import make_mlp_recipe, tune_tiny


def with_winner(record: TuningRecord, lr: float) -> TuningRecord:
    """The same search, had trial 1 won with another learning rate."""
    values = {**record.trials[0].values, "optimizer.lr": lr}
    return record.change(best=BestTrial(number=1, values=values, accuracy=1.0))


def rerun(job: Job, record: TuningRecord, seeds: int) -> RerunRecord:
    found = rerun_winner(make_mlp_recipe(), job, record, seeds=seeds).rerun
    assert found is not None
    return found


def test_the_winner_is_run_again_with_fresh_seeds(dataset: DataSet, tmp_path: Path) -> None:
    record = with_winner(tune_tiny(dataset, tmp_path, trials=2), lr=0.1)
    job = make_job(dataset, tmp_path)
    first = rerun(job, record, seeds=2)
    assert first.seeds == (1, 2), "the search had seed 0"
    assert first.difference == pytest.approx(np.mean(first.tuned) - np.mean(first.untuned))
    again = read_recipe(tmp_path / "rerun" / "tuned-2" / "recipe.toml")
    assert (again.seed, again.epochs, again.optimizer.lr) == (2, 4, 0.1)
    untuned = read_recipe(tmp_path / "rerun" / "untuned-2" / "recipe.toml")
    assert untuned == make_mlp_recipe(seed=2)
    assert store.read(tmp_path / TUNE, TuningRecord).rerun == first

    assert rerun(job, record, seeds=1) == first, "nobody may choose among the finished seeds"
    assert rerun(job, record, seeds=3).seeds == (1, 2, 3)
    run = tmp_path / "rerun" / "untuned-3"
    store.write(run / STATUS, read_status(run).extend(UnfinishedRun, status="running"))
    assert rerun(job, record, seeds=1) == first, "half a pair is no evidence"

    other = rerun(job, with_winner(record, lr=0.05), seeds=1)
    assert other.seeds == (1,), "the other seeds were an earlier winner's"
    assert read_recipe(tmp_path / "rerun" / "tuned-1" / "recipe.toml").optimizer.lr == 0.05


def test_the_gain_is_told_in_the_metric_of_the_search_too(dataset: DataSet, tmp_path: Path) -> None:
    record = with_winner(tune_tiny(dataset, tmp_path, trials=2), lr=0.1)
    job, recipe = make_job(dataset, tmp_path), make_mlp_recipe(metric="macro_f1")
    found = rerun_winner(recipe, job, record, seeds=2).rerun
    assert found is not None
    assert found.by_class is not None
    scores = {
        kind: [
            find_validated(tmp_path / "rerun" / f"{kind}-{seed}")[1].val.score("macro_f1")
            for seed in found.seeds
        ]
        for kind in ("tuned", "untuned")
    }
    gain = np.mean(scores["tuned"]) - np.mean(scores["untuned"])
    assert found.by_class.macro_f1 == pytest.approx(gain)
    assert "In macro F1, which the search maximised, the tuned recipe differs" in found.sentence


def test_nothing_is_rerun_when_nothing_better_was_found(dataset: DataSet, tmp_path: Path) -> None:
    record = tune_tiny(dataset, tmp_path, trials=3)
    own = BestTrial(number=0, values=record.trials[0].values, accuracy=1.0)
    found = rerun(make_job(dataset, tmp_path), record.change(best=own), seeds=2)
    assert (found.trial, found.seeds, found.difference) == (0, (), None)
    assert "found nothing better" in found.sentence
    assert "2 other trials" in found.sentence
    assert not (tmp_path / "rerun").exists()


def answers(*rights: int) -> Correct:
    """For each seed, the first so many of 1,000 images right."""
    return np.array([np.arange(1_000) < right for right in rights])


def judge(tuned: Correct, untuned: Correct) -> RerunRecord:
    seeds = tuple(range(1, len(tuned) + 1))
    return judge_rerun(RerunRecord(trial=1, seeds=seeds, sentence=""), tuned, untuned)


def say(tuned: Correct, untuned: Correct) -> str:
    """What the sentence says of such answers."""
    return describe_rerun(judge(tuned, untuned), trials=12, n=tuned.shape[1])


@pytest.mark.parametrize(
    ("tuned", "untuned", "said"),
    [
        ((950, 952), (900, 902), "the gain holds with fresh seeds"),
        ((905, 906), (904, 905), "may be the luck of the best of 12"),
        ((990, 899), (900, 900), "may be the luck of the best of 12"),  # one seed disagrees
        ((904, 905), (905, 906), "did not hold"),
        ((900, 900), (950, 950), "own settings are better"),
        ((950,), (900,), "better on this one seed"),
        ((900,), (950,), "worse on this one seed"),
        ((902,), (900,), "may be the luck of the best of 12"),
    ],
)
def test_what_is_said_of_the_rerun(
    tuned: tuple[int, ...], untuned: tuple[int, ...], said: str
) -> None:
    compared = judge(answers(*tuned), answers(*untuned))
    assert compared.interval is not None
    assert compared.difference is not None
    assert compared.p is not None
    low, high = compared.interval
    assert low <= compared.difference <= high
    assert (low <= 0 <= high) == (compared.p >= 0.05), "interval and p-value say the same"
    assert said in say(answers(*tuned), answers(*untuned))


@pytest.mark.parametrize("seeds", [1, 3])
def test_tune_and_compare_say_the_same_of_the_same_runs(seeds: int, tmp_path: Path) -> None:
    sides = draw_answers(np.random.default_rng(seeds), seeds, 300, 0.3, 0.2)
    folders = [
        write_finished_run(
            tmp_path / f"{kind}-{seed}", row, make_mlp_recipe(epochs=epochs, seed=seed)
        )
        for kind, epochs, side in (("tuned", 3, sides[0]), ("untuned", 4, sides[1]))
        for seed, row in enumerate(side)
    ]
    (pair,) = compare_groups(folders).pairs
    judged = judge(*sides)
    sign = 1 if pair.a.startswith("tuned") else -1
    assert (judged.difference, judged.p) == (sign * pair.difference, pair.p)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_recipes_that_differ_in_nothing_are_seldom_called_different(seeds: int) -> None:
    """Equal recipes whose seeds matter: a gain at half the level, and harm at the other half."""
    rng, worlds = np.random.default_rng(0), 400
    said = [say(*draw_answers(rng, seeds, 300, 0.0, 0.3)) for _ in range(worlds)]
    gain = sum("the gain holds" in sentence for sentence in said) / worlds
    harm = sum("own settings are better" in sentence for sentence in said) / worlds
    assert gain + harm < 0.07
    if seeds == 1:
        assert gain + harm == 0
