"""A search by Optuna: where its trials are kept, which comes next, and what one has shown.

Everything that knows Optuna is here. A search goes on after a kill: the trial that was under way
is taken up by its own number, and what the sampler draws is a function of (seed, trial number), so
that a search that was stopped proposes what one that never stopped would have.
"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import ValidationError
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from smallvision.errors import SettingError
from smallvision.randomness import derive_seed
from smallvision.records.schema import (
    Choices,
    Dimension,
    SettingValues,
    TrialRecord,
    TrialResult,
)

SAMPLER, PRUNER = "TPE", "successive halving"

# Trials at random before the sampler trusts what it has seen. Optuna's default of 10 would leave
# it nothing to do in a search of a dozen.
STARTUP_TRIALS = 5

FEWEST_FOR_IMPORTANCE = 4
RESULT, WORKER = "result", "worker"  # what we note on a trial, in the storage
ALONE = "alone"  # the worker of a storage that nobody shares


@contextmanager
def open_storage(url: str) -> Iterator[RDBStorage]:
    """Open a storage for trials, quietly, and close it afterwards.

    Raises:
        SettingError: there is no such storage, or it does not answer.
    """
    loudness = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            try:
                storage = RDBStorage(url)
            except (ImportError, RuntimeError) as error:  # no driver; tables of another version
                raise refuse_storage(error) from error
            try:
                yield storage
            finally:
                storage.remove_session()
                storage.engine.dispose()
    except (SQLAlchemyError, StorageInternalError) as error:
        raise refuse_storage(error) from error
    finally:
        optuna.logging.set_verbosity(loudness)


def refuse_storage(error: Exception) -> SettingError:
    """One line for a storage that fails us; its URL may hold a password, so it is not shown."""
    reason = str(error.__cause__ or error).partition("\n")[0]  # the lines after it quote SQL
    return SettingError(
        f"the storage for trials cannot be used: {reason}; expected a URL such as "
        "sqlite:///tune.sqlite3 or postgresql://user@host/name"
    )


def check_storage(url: str | None) -> None:
    """Refuse a storage that cannot be used, before anything is written.

    Raises:
        SettingError: there is no such storage, or it does not answer.
    """
    if url is not None:
        with open_storage(url):
            pass


def default_storage(folder: Path) -> str:
    """The SQLite file in a tuning folder."""
    return URL.create("sqlite", database=str(folder / "tune.sqlite3")).render_as_string()


@dataclass(frozen=True, eq=False)
class Attempt:
    """A trial under way.

    Attributes:
        trial: Optuna's.
        values: to try.
    """

    trial: Trial
    values: SettingValues

    @property
    def number(self) -> int:
        """Its place in the search; 0 has the recipe's own settings."""
        return self.trial.number

    def report(self, epoch: int, accuracy: float) -> None:
        """Tell the search what an epoch reached, unless an earlier session did."""
        known = self.trial.study.get_trials(deepcopy=False)[self.number].intermediate_values
        if epoch not in known:
            self.trial.report(accuracy, epoch)

    def should_stop(self) -> bool:
        """Whether it has fallen behind, by what was reported.

        The recipe's own settings never do: everything else is measured against them.
        """
        return self.trial.should_prune() and self.number > 0


@dataclass(frozen=True, eq=False)
class Search:
    """A search under way.

    Attributes:
        study, storage: Optuna's.
        space: what is searched.
        seed: of the sampler.
        worker: who we are, where several share a storage.
    """

    study: optuna.Study
    storage: RDBStorage
    space: tuple[Dimension, ...]
    seed: int
    worker: str

    def next_trial(self) -> Attempt:
        """The trial that a kill left unfinished, or a new one."""
        trials = self.study.get_trials(deepcopy=False)
        begun = [trial for trial in trials if trial.state != TrialState.WAITING]
        left = next((trial.number for trial in begun if self.is_left(trial)), None)
        number = len(begun) if left is None else left
        self.study.sampler = TPESampler(
            seed=derive_seed(self.seed, "tune", number) % 2**32,
            n_startup_trials=STARTUP_TRIALS,
            multivariate=True,
        )
        trial = self.study.ask() if left is None else self.take_up(left)
        trial.set_user_attr(WORKER, self.worker)
        return Attempt(trial, {d.key: suggest(trial, d) for d in self.space})

    def is_left(self, trial: FrozenTrial) -> bool:
        """Whether a trial was begun by us and never ended.

        One that bears no name yet may be another worker's, who has only just asked for it.
        """
        owner = trial.user_attrs.get(WORKER, ALONE)
        return bool(trial.state == TrialState.RUNNING and owner == self.worker)

    def take_up(self, number: int) -> Trial:
        """A trial that is under way, to go on with."""
        study_id = self.storage.get_study_id_from_name(self.study.study_name)
        trial_id = self.storage.get_trial_id_from_study_id_trial_number(study_id, number)
        return Trial(self.study, trial_id)

    def finish(self, attempt: Attempt, result: TrialResult) -> None:
        """Enter how a trial ended."""
        attempt.trial.set_user_attr(RESULT, result.model_dump(mode="json"))
        if result.state == "complete":
            self.study.tell(attempt.trial, result.accuracy)
        else:
            # The sampler ignores trials that Optuna calls failed and would return to values that
            # diverge; one that was pruned before it reported anything counts as the worst.
            self.study.tell(attempt.trial, state=TrialState.PRUNED)

    def finished(self) -> tuple[TrialRecord, ...]:
        """All trials that ended, in order.

        Raises:
            SettingError: the storage holds a trial that this version did not write.
        """
        try:
            return tuple(
                TrialRecord(number=trial.number, values=trial.params, **trial.user_attrs[RESULT])
                for trial in self.study.get_trials(deepcopy=False)
                if trial.state.is_finished() and RESULT in trial.user_attrs
            )
        except (TypeError, ValidationError) as error:
            raise SettingError(
                "the storage for trials holds a trial that this version did not write; name "
                "another --storage"
            ) from error

    def measure_importance(self) -> dict[str, float]:
        """Share of the variance of accuracy that each setting explains; {} from too few trials.

        Source: Hutter, Hoos and Leyton-Brown, ICML 2014 (functional ANOVA), over the trials that
        ran to the end.
        """
        complete = self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        if len(complete) < FEWEST_FOR_IMPORTANCE or len({trial.value for trial in complete}) < 2:
            return {}
        judge = FanovaImportanceEvaluator(seed=derive_seed(self.seed, "importance") % 2**32)
        return dict(get_param_importances(self.study, evaluator=judge))


@contextmanager
def open_search(
    folder: Path,
    storage: str | None,
    *,
    name: str,
    space: tuple[Dimension, ...],
    own: SettingValues,
    seed: int,
    epochs: int,
) -> Iterator[Search]:
    """Begin a search with the recipe's own values as its first trial, or go on with one.

    Args:
        folder: of the tuning; holds the storage unless `storage` names another.
        storage: an Optuna storage URL; processes that share one share the search.
        name: of the search in the storage; the same for the same question.
        space: what is searched.
        own: the recipe's own values.
        seed: of the sampler.
        epochs: of a whole trial.

    Raises:
        SettingError: the storage cannot be used.
    """
    with open_storage(storage or default_storage(folder)) as opened:
        study = optuna.create_study(
            storage=opened,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            # Hyperband would split a dozen trials over several brackets, and the sampler learns
            # within a bracket only. One bracket that keeps the better half learns from all.
            pruner=SuccessiveHalvingPruner(min_resource=max(1, epochs // 4), reduction_factor=2),
        )
        study.enqueue_trial(own, skip_if_exists=True)
        worker = f"{platform.node()}:{folder.resolve()}" if storage else ALONE
        yield Search(study, opened, space, seed, worker)


def suggest(trial: Trial, dimension: Dimension) -> float | int:
    """The value of one setting in a trial; asked again, the same."""
    if isinstance(dimension, Choices):
        return int(trial.suggest_categorical(dimension.key, dimension.choices))
    return trial.suggest_float(dimension.key, dimension.low, dimension.high, log=dimension.log)
