"""A search by Optuna: where its trials are kept, which comes next, and what one has shown.

Everything that knows Optuna is here. A search goes on after a kill: the trial that was under way
is taken up by its own number, and what the sampler draws is a function of (seed, trial number), so
that a search that was stopped proposes what one that never stopped would have.
"""

from __future__ import annotations

import json
import platform
import random
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)
from optuna.exceptions import (
    ExperimentalWarning,
    StorageInternalError,
    UpdateFinishedTrialError,
)
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import ValidationError
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import (
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from smallvision.compute.environment import find_version
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
from smallvision.records.schema.base import AnyRecord
from smallvision.tuning.sharing import (
    BEAT,
    RESULT,
    SILENCE,
    WORKER,
    Team,
    Wait,
    keep_alive,
    make_once,
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
# What we note, in the storage, on a trial that is made in the place of another.
STANDS_FOR = "stands_for"
FIXED = "fixed_params"  # Optuna's name for values that are not drawn
VERSION = "version"  # of smallvision, which a search notes once
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
ALONE = "alone"  # the worker of a storage that nobody shares
TRIES = 6  # to make the tables, which other workers may be making


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
                storage = make_tables(spelt, connect_options(url))
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


def make_tables(url: str, options: Mapping[str, int]) -> RDBStorage:
    """A storage whose tables are there; another worker may make them at the same time."""
    for number in range(1, TRIES + 1):
        try:
            return RDBStorage(
                url, {"connect_args": options}, heartbeat_interval=BEAT, grace_period=SILENCE
            )
        except (IntegrityError, ProgrammingError, OperationalError) as error:
            is_race = not isinstance(error, OperationalError) or "already exists" in str(error)
            if number == TRIES or not is_race:
                raise
            time.sleep(random.uniform(0.1, 0.5) * number)
    raise AssertionError("it was tried")


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


class LostTrialError(Exception):
    """The other workers have heard nothing of a trial for too long, and given it up."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"trial {number} was given up by other workers, which had heard nothing of it for "
            f"{SILENCE} seconds; what it found does not count"
        )


@dataclass(frozen=True, eq=False)
class Attempt:
    """A trial under way.

    Attributes:
        trial: Optuna's.
        number: its place in the search; 0 has the recipe's own settings.
        values: to try.
        place: what messages call the storage.
    """

    trial: Trial
    number: int
    values: SettingValues
    place: str

    def report(self, epoch: int, accuracy: float) -> None:
        """Tell the search what an epoch reached, unless an earlier session did.

        Raises:
            LostTrialError: the other workers have given it up.
        """
        with understood(self.place):
            trials = self.trial.study.get_trials(deepcopy=False)
            if epoch not in trials[self.trial.number].intermediate_values:
                try:
                    self.trial.report(accuracy, epoch)
                except UpdateFinishedTrialError as error:
                    raise LostTrialError(self.number) from error

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
        worker: whose it was.
    """

    record: TrialRecord
    reported: dict[int, float]
    worker: str


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
        team: who share the storage.
    """

    study: optuna.Study
    storage: RDBStorage
    space: tuple[Dimension, ...]
    own: SettingValues
    seed: int
    epochs: int
    worker: str
    place: str
    team: Team

    @property
    def is_shared(self) -> bool:
        """Whether other processes may add trials to the storage."""
        return self.worker != ALONE

    def next_trial(self, most: int) -> Attempt | None:
        """The trial that a kill left unfinished, or a new one.

        Args:
            most: trials of the search, those that others are at work on included.

        Returns: None where there are enough.
        """
        if self.is_shared:
            self.team.give_up_lost()
        left = next((trial.number for trial in self.read() if self.is_left(trial)), None)
        with understood(self.place):
            trial_id = self.begin(most) if left is None else self.team.find(left)
            if trial_id is None:
                return None
            number = self.storage.get_trial_number_from_id(trial_id)
            self.study.sampler = TPESampler(
                seed=derive_seed(self.seed, "tune", number) % 2**32,
                n_startup_trials=STARTUP_TRIALS,
                multivariate=True,
            )
            trial = Trial(self.study, trial_id)
            values = {d.key: suggest(trial, d) for d in self.space}
            return Attempt(trial, tell_number(trial), values, self.place)

    def begin(self, most: int) -> int | None:
        """Enter a new trial; returns its id, or None where there are enough.

        Workers enter theirs at the same time, and the storage numbers them: who comes too late
        gives way. While nobody tries the recipe's own settings, the next trial does.
        """
        while True:
            counting = self.list_counting()
            if len(counting) >= most:
                return None
            is_own = all(tell_number(trial) for trial in counting)
            trial_id, number = self.team.enter(
                {STANDS_FOR: 0} if is_own else {}, {FIXED: self.own} if is_own else {}
            )
            before = [trial for trial in self.list_counting() if trial.number < number]
            is_again = is_own and not all(tell_number(trial) for trial in before)
            if len(before) < most and not is_again:
                return trial_id
            self.storage.set_trial_state_values(trial_id, TrialState.FAIL)

    def list_counting(self) -> list[FrozenTrial]:
        """The trials that somebody is at work on, or that have an outcome."""
        return [trial for trial in self.read() if trial.state in (TrialState.RUNNING, *ENDED)]

    def count_others(self) -> int:
        """Trials that other workers are at work on; those that were lost are given up."""
        self.team.give_up_lost()
        return sum(trial.state == TrialState.RUNNING for trial in self.read())

    def at_work(self, attempt: Attempt) -> AbstractContextManager[None]:
        """While this lasts, other workers know that somebody is at work on a trial."""
        if not self.is_shared:
            return nullcontext()
        return keep_alive(self.storage, self.team.find(attempt.trial.number))

    def is_left(self, trial: FrozenTrial) -> bool:
        """Whether a trial was begun by us and never ended."""
        owner = trial.user_attrs.get(WORKER, ALONE)
        return bool(trial.state == TrialState.RUNNING and owner == self.worker)

    def finish(self, attempt: Attempt, result: TrialResult) -> None:
        """Enter how a trial ended.

        Raises:
            LostTrialError: the other workers have given it up.
        """
        with understood(self.place):
            try:
                attempt.trial.set_user_attr(RESULT, result.model_dump(mode="json"))
            except UpdateFinishedTrialError as error:
                raise LostTrialError(attempt.number) from error
            if result.state == "complete":
                self.study.tell(attempt.trial, result.accuracy)
            else:
                # The sampler ignores trials that Optuna calls failed and would return to values
                # that diverge; one that was pruned before it reported anything counts as the worst.
                self.study.tell(attempt.trial, state=TrialState.PRUNED)

    def make_once(
        self, name: str, make: Callable[[], AnyRecord], model: type[AnyRecord], wait: Wait
    ) -> AnyRecord:
        """What one of the workers makes for all: it is made here, or waited for.

        Args:
            name: of what is made.
            make: makes it.
            model: its class.
            wait: called while another worker is at work on it.
        """
        if not self.is_shared:
            return make()
        study = optuna.create_study(
            storage=self.storage,
            study_name=f"{self.study.study_name}-{name}",
            load_if_exists=True,
        )

        def read(made: object) -> AnyRecord:
            with understood(self.place):
                return model.model_validate_json(json.dumps(made))

        return make_once(Team(study, self.storage, self.worker), make, read, wait)

    def finished(self) -> tuple[EndedTrial, ...]:
        """All trials that ended, in order.

        Raises:
            SettingError: the storage holds a trial that this version did not write.
        """
        return tuple(
            EndedTrial(
                TrialRecord(
                    number=tell_number(trial), values=trial.params, **trial.user_attrs[RESULT]
                ),
                dict(trial.intermediate_values),
                trial.user_attrs.get(WORKER, ALONE),
            )
            for trial in sorted(self.read(), key=tell_number)
            if trial.state in ENDED
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
        if trial.state == TrialState.WAITING:
            raise ValueError("it waits for somebody to begin it")
        if trial.user_attrs.get(STANDS_FOR, 0) != 0:
            raise ValueError(f"it stands for trial {trial.user_attrs[STANDS_FOR]!r:.40}")
        dimensions = {dimension.key: dimension for dimension in self.space}
        values = {**trial.system_attrs.get(FIXED, {}), **trial.params}
        for key, value in values.items():
            if key not in dimensions:
                raise ValueError(f"{key!r:.80} is not searched")
            is_number = type(value) in (int, float)
            if not (is_number and (dimensions[key].contains(value) or values == self.own)):
                raise ValueError(f"{key} is {value!r:.40}, not {dimensions[key]}")
        for key, distribution in trial.distributions.items():
            if distribution != describe_distribution(dimensions[key]):
                raise ValueError(f"{key} was drawn from another range")
        if tell_number(trial) == 0 and values != self.own:
            raise ValueError("its values are not the recipe's own")
        for epoch, accuracy in trial.intermediate_values.items():
            if not (1 <= epoch <= self.epochs and 0 <= accuracy <= 1):
                raise ValueError(f"the accuracy after epoch {epoch!r:.40} is {accuracy!r:.40}")
        for name, value in trial.system_attrs.items():
            is_rung = name.startswith("completed_rung_")  # what the pruner compares others with
            if is_rung and value not in trial.intermediate_values.values():
                raise ValueError(f"{name!r:.40} is {value!r:.40}, which no epoch reached")
        if trial.state in ENDED or self.is_damaged(trial):
            self.check_end(trial)

    def is_damaged(self, trial: FrozenTrial) -> bool:
        """Whether a trial is failed and has an outcome, though no other worker can have done that.

        Others may give a trial up between its outcome and its end.
        """
        failed = trial.state == TrialState.FAIL and RESULT in trial.user_attrs
        return failed and not self.is_shared

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
            ours = find_version("smallvision")
            version = study.user_attrs.get(VERSION, ours)
            study.set_user_attr(VERSION, version)
        if version != ours:
            raise SettingError(
                f"the search in {place} was begun by smallvision {version!s:.40}, and this is "
                f"{ours}: its trials need not be alike; name another --storage"
            )
        worker = f"{platform.node()}:{folder.resolve()}" if storage is not None else ALONE
        team = Team(study, opened, worker)
        search = Search(study, opened, space, own, seed, epochs, worker, place, team)
        search.read()
        yield search


def tell_number(trial: FrozenTrial | Trial) -> int:
    """The place of a trial in the search; one may stand for another that was lost."""
    number: int = trial.user_attrs.get(STANDS_FOR, trial.number)
    return number


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
