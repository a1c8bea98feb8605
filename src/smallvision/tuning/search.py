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
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import ValidationError
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

from smallvision.errors import SettingError
from smallvision.randomness import derive_seed
from smallvision.records import store
from smallvision.records.schema import (
    Choices,
    Dimension,
    SettingValues,
    TrialRecord,
    TrialResult,
)
from smallvision.tuning.storage import (
    check_database,
    connect_options,
    default_storage,
    is_sqlite,
    name_place,
    parse_storage,
    refuse_storage,
)

SAMPLER, PRUNER = "TPE", "successive halving"

# Trials at random before the sampler trusts what it has seen. Optuna's default of 10 would leave
# it nothing to do in a search of a dozen.
STARTUP_TRIALS = 5

FEWEST_FOR_IMPORTANCE = 4
RESULT, WORKER = "result", "worker"  # what we note on a trial, in the storage
ALONE = "alone"  # the worker of a storage that nobody shares


# What Optuna raises where a cell of its tables holds something else than it wrote there.
DAMAGES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,  # of JSON, and of records, too
)


@contextmanager
def open_storage(text: str, *, is_named: bool = True) -> Iterator[RDBStorage]:
    """Open a storage for trials, quietly, and close it afterwards.

    Args:
        text: its URL.
        is_named: whether a person named it; the file in a tuning folder may be no link.

    Raises:
        SettingError: there is no such storage, it does not answer, or is damaged.
    """
    url = parse_storage(text)
    if is_sqlite(url.drivername):
        check_database(Path(url.database or ""), may_be_link=is_named)
    # Optuna would fill in what stands between braces.
    spelt = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    loudness = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            try:
                storage = RDBStorage(spelt, {"connect_args": connect_options(url)})
            except (ImportError, OSError, *DAMAGES) as error:  # no driver; no answer
                raise refuse_storage(error, url) from error

            def refuse_silence(context: ExceptionContext) -> None:
                # SQLAlchemy wraps what a driver raises of its own, and not a connection's timeout.
                if isinstance(context.original_exception, OSError):
                    raise refuse_storage(context.original_exception, url)

            event.listen(storage.engine, "handle_error", refuse_silence)
            try:
                yield storage
            finally:
                storage.remove_session()
                storage.engine.dispose()
    except (SQLAlchemyError, StorageInternalError) as error:
        raise refuse_storage(error, url) from error
    finally:
        optuna.logging.set_verbosity(loudness)


@contextmanager
def understood(place: str, what: str = "") -> Iterator[None]:
    """Work on Optuna's answers alone: one line where nobody could have written them.

    Args:
        place: what messages call the storage.
        what: it holds so, such as `"as trial 3 "`.

    Raises:
        SettingError: the storage holds what this version did not write.
    """
    try:
        yield
    except DAMAGES as error:
        reason = store.explain(error) if isinstance(error, ValidationError) else str(error)
        reason = reason.partition("\n")[0] or type(error).__name__
        raise SettingError(
            f"{place} holds {what}what this version did not write ({reason:.200}); restore it, or "
            "name another --storage"
        ) from error


def check_storage(url: str | None) -> None:
    """Refuse a storage that cannot be used, before anything is written.

    Raises:
        SettingError: there is no such storage, or it does not answer.
    """
    if url is not None:
        with open_storage(url):
            pass


@dataclass(frozen=True, eq=False)
class Attempt:
    """A trial under way.

    Attributes:
        trial: Optuna's.
        values: to try.
        place: what messages call the storage.
    """

    trial: Trial
    values: SettingValues
    place: str

    @property
    def number(self) -> int:
        """Its place in the search; 0 has the recipe's own settings."""
        return self.trial.number

    def report(self, epoch: int, accuracy: float) -> None:
        """Tell the search what an epoch reached, unless an earlier session did."""
        with understood(self.place):
            known = self.trial.study.get_trials(deepcopy=False)[self.number].intermediate_values
            if epoch not in known:
                self.trial.report(accuracy, epoch)

    def should_stop(self) -> bool:
        """Whether it has fallen behind, by what was reported.

        The recipe's own settings never do: everything else is measured against them.
        """
        with understood(self.place):
            return self.trial.should_prune() and self.number > 0


@dataclass(frozen=True)
class EndedTrial:
    """What the storage says of a trial that ended.

    Attributes:
        record: how it ended.
        reported: epoch -> validation accuracy, of each epoch that it told the search.
    """

    record: TrialRecord
    reported: dict[int, float]


@dataclass(frozen=True, eq=False)
class Search:
    """A search under way.

    Attributes:
        study, storage: Optuna's.
        space: what is searched.
        own: the recipe's own values.
        seed: of the sampler.
        epochs: of a whole trial.
        worker: who we are, where several share a storage.
        place: what messages call the storage.
    """

    study: optuna.Study
    storage: RDBStorage
    space: tuple[Dimension, ...]
    own: SettingValues
    seed: int
    epochs: int
    worker: str
    place: str

    @property
    def is_shared(self) -> bool:
        """Whether other processes may add trials to the storage."""
        return self.worker != ALONE

    def next_trial(self) -> Attempt:
        """The trial that a kill left unfinished, or a new one."""
        begun = [trial for trial in self.read() if trial.state != TrialState.WAITING]
        left = next((trial.number for trial in begun if self.is_left(trial)), None)
        number = len(begun) if left is None else left
        self.study.sampler = TPESampler(
            seed=derive_seed(self.seed, "tune", number) % 2**32,
            n_startup_trials=STARTUP_TRIALS,
            multivariate=True,
        )
        with understood(self.place):
            trial = self.study.ask() if left is None else self.take_up(left)
            trial.set_user_attr(WORKER, self.worker)
            values = {d.key: suggest(trial, d) for d in self.space}
            return Attempt(trial, values, self.place)

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
        with understood(self.place):
            attempt.trial.set_user_attr(RESULT, result.model_dump(mode="json"))
            if result.state == "complete":
                self.study.tell(attempt.trial, result.accuracy)
            else:
                # The sampler ignores trials that Optuna calls failed and would return to values
                # that diverge; one that was pruned before it reported anything counts as the worst.
                self.study.tell(attempt.trial, state=TrialState.PRUNED)

    def finished(self) -> tuple[EndedTrial, ...]:
        """All trials that ended, in order.

        Raises:
            SettingError: the storage holds a trial that this version did not write.
        """
        return tuple(
            EndedTrial(
                TrialRecord(number=trial.number, values=trial.params, **trial.user_attrs[RESULT]),
                dict(trial.intermediate_values),
            )
            for trial in self.read()
            if trial.state.is_finished() and RESULT in trial.user_attrs
        )

    def read(self) -> list[FrozenTrial]:
        """All trials, of any state, checked.

        Raises:
            SettingError: the storage holds a trial that this version did not write.
        """
        with understood(self.place):
            trials = self.study.get_trials(deepcopy=False)
        for place, trial in enumerate(trials):
            with understood(self.place, f"as trial {place} "):
                self.check(place, trial)
        return trials

    def check(self, place: int, trial: FrozenTrial) -> None:
        """Check that a trial is of this search, and that all that is said of its end agrees.

        Args:
            place: its place among all trials.
            trial: as Optuna has it.

        Raises:
            ValueError, TypeError: it is not.
        """
        if trial.number != place:
            raise ValueError(f"its number is {trial.number!r:.40}")
        dimensions = {dimension.key: dimension for dimension in self.space}
        values = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        for key, value in values.items():
            if key not in dimensions:
                raise ValueError(f"{key!r:.80} is not searched")
            is_number = type(value) in (int, float)
            if not (is_number and (dimensions[key].contains(value) or values == self.own)):
                raise ValueError(f"{key} is {value!r:.40}, not {dimensions[key]}")
        for key, distribution in trial.distributions.items():
            if distribution != describe_distribution(dimensions[key]):
                raise ValueError(f"{key} was drawn from another range")
        if place == 0 and values != self.own:
            raise ValueError("its values are not the recipe's own")
        for epoch, accuracy in trial.intermediate_values.items():
            if not (1 <= epoch <= self.epochs and 0 <= accuracy <= 1):
                raise ValueError(f"the accuracy after epoch {epoch!r:.40} is {accuracy!r:.40}")
        for name, value in trial.system_attrs.items():
            is_rung = name.startswith("completed_rung_")  # what the pruner compares others with
            if is_rung and value not in trial.intermediate_values.values():
                raise ValueError(f"{name!r:.40} is {value!r:.40}, which no epoch reached")
        if trial.state.is_finished() and (
            RESULT in trial.user_attrs or trial.state != TrialState.FAIL
        ):
            self.check_end(trial)

    def check_end(self, trial: FrozenTrial) -> None:
        """Check that the outcome of a trial is one, and is what the search takes it for.

        One that Optuna calls failed, and that has no outcome, was given up by hand. The search
        takes no notice of it, so it is not checked.

        Raises:
            ValueError, TypeError: it is not.
        """
        if RESULT not in trial.user_attrs:
            raise ValueError("it ended without an outcome")
        if trial.params.keys() != self.own.keys():
            raise ValueError("it ended without a value for each setting")
        ended = TrialRecord(number=trial.number, values=trial.params, **trial.user_attrs[RESULT])
        complete = ended.state == "complete"
        if trial.state != (TrialState.COMPLETE if complete else TrialState.PRUNED):
            raise ValueError(f"its state is {trial.state.name}, its outcome '{ended.state}'")
        # Optuna takes the last accuracy of a trial that was given up, and none if there was none.
        reported = trial.intermediate_values
        last = [reported[max(reported)]] if reported else None
        if trial.values != ([ended.accuracy] if complete else last):
            raise ValueError(f"its value is {trial.values!r:.40}, its accuracy {ended.accuracy!r}")
        if ended.epochs > self.epochs:
            raise ValueError(f"it has {ended.epochs} epochs, of {self.epochs}")

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
    text = storage if storage is not None else default_storage(folder)
    place = name_place(parse_storage(text))
    with open_storage(text, is_named=storage is not None) as opened:
        with understood(place):
            study = optuna.create_study(
                storage=opened,
                study_name=name,
                direction="maximize",
                load_if_exists=True,
                pruner=build_pruner(epochs),
            )
            if study.directions != [StudyDirection.MAXIMIZE]:
                raise ValueError("the search does not maximise the accuracy")
        worker = f"{platform.node()}:{folder.resolve()}" if storage is not None else ALONE
        search = Search(study, opened, space, own, seed, epochs, worker, place)
        search.read()
        with understood(place):
            study.enqueue_trial(own, skip_if_exists=True)
        yield search


def build_pruner(epochs: int) -> SuccessiveHalvingPruner:
    """What gives up trials of so many epochs, from a quarter of them on.

    Hyperband would split a dozen trials over several brackets, and the sampler learns within a
    bracket only. One bracket that keeps the better half learns from all.
    """
    return SuccessiveHalvingPruner(min_resource=max(1, epochs // 4), reduction_factor=2)


def suggest(trial: Trial, dimension: Dimension) -> float | int:
    """The value of one setting in a trial; asked again, the same."""
    if isinstance(dimension, Choices):
        return int(trial.suggest_categorical(dimension.key, dimension.choices))
    return trial.suggest_float(dimension.key, dimension.low, dimension.high, log=dimension.log)


def describe_distribution(dimension: Dimension) -> BaseDistribution:
    """What Optuna notes beside a value that `suggest` drew."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
