"""Signs of life, by which workers that share a search know who is at work and who was lost.

Times are told by the server, so that the clocks of the workers need not agree. A trial that was
never heard of is timed by whoever waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TypeAlias

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError

from smallvision.records.schema.base import AnyRecord

BEAT, SILENCE = 15, 90  # seconds between signs of life, and without one until a trial is lost
POLL = 2.0  # seconds between looks at what others do
# What a worker notes on its trial: what came of it, who it is, and that it gave a sign of life.
RESULT, WORKER, HEARD = "result", "worker", "heard"
Wait: TypeAlias = Callable[[], object]


@contextmanager
def keep_alive(storage: RDBStorage, trial_id: int) -> Iterator[None]:
    """Give signs of life of a trial, from a thread."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            # A server that is away for a while is asked again; one that stays away ends the trial.
            with suppress(SQLAlchemyError, StorageInternalError, OSError):
                storage.record_heartbeat(trial_id)

    storage.record_heartbeat(trial_id)
    storage.set_trial_user_attr(trial_id, HEARD, True)
    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Team:
    """The workers that share a study of Optuna.

    Args:
        study: that they share.
        storage: of the study.
        worker: who we are.
    """

    def __init__(self, study: optuna.Study, storage: RDBStorage, worker: str) -> None:
        self.study, self.storage, self.worker = study, storage, worker
        self.id = storage.get_study_id_from_name(study.study_name)
        self.since: dict[int, float] = {}  # when we first saw a trial that was never heard of

    def give_up_lost(self) -> None:
        """Fail the trials whose worker has been silent for too long."""
        fail_stale_trials(self.study)
        now = time.monotonic()
        for trial in self.list_running():
            if HEARD in trial.user_attrs:
                continue
            if now - self.since.setdefault(trial.number, now) > SILENCE:
                with suppress(UpdateFinishedTrialError):  # it has ended after all
                    self.storage.set_trial_state_values(self.find(trial.number), TrialState.FAIL)

    def list_running(self) -> list[FrozenTrial]:
        """The trials that somebody is at work on, in order."""
        return self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING])

    def find(self, number: int) -> int:
        """The id of a trial in the storage."""
        found: int = self.storage.get_trial_id_from_study_id_trial_number(self.id, number)
        return found

    def enter(
        self, notes: Mapping[str, object] | None = None, own: Mapping[str, object] | None = None
    ) -> tuple[int, int]:
        """Enter a trial of ours that is under way.

        Args:
            notes: of ours.
            own: those of Optuna.

        Returns: its id and its number.
        """
        template = create_trial(
            state=TrialState.RUNNING,
            user_attrs={WORKER: self.worker, **(notes or {})},
            system_attrs=dict(own or {}),
        )
        trial_id = self.storage.create_new_trial(self.id, template)
        return trial_id, self.storage.get_trial_number_from_id(trial_id)


def make_once(
    team: Team, make: Callable[[], AnyRecord], read: Callable[[object], AnyRecord], wait: Wait
) -> AnyRecord:
    """What one worker of a team makes for all: it is made here, or waited for.

    A trial of the team's study stands for it, so that the storage decides whose it is.

    Args:
        team: whose study holds nothing else.
        make: makes it.
        read: makes it of what another worker noted.
        wait: called while another worker is at work on it.
    """
    while True:
        team.give_up_lost()
        for trial in team.study.get_trials(deepcopy=False):
            if RESULT in trial.user_attrs:
                return read(trial.user_attrs[RESULT])
        running = team.list_running()
        ours = [trial for trial in running if trial.user_attrs.get(WORKER) == team.worker]
        if running and not ours:
            wait()
            continue
        if ours:
            trial_id = team.find(ours[0].number)
        else:
            trial_id, number = team.enter()
            if any(trial.number < number for trial in team.list_running()):
                team.storage.set_trial_state_values(trial_id, TrialState.FAIL)
                continue
        with keep_alive(team.storage, trial_id):
            made = make()
        with suppress(UpdateFinishedTrialError):  # others gave us up, and make it themselves
            team.storage.set_trial_user_attr(trial_id, RESULT, made.model_dump(mode="json"))
            team.storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [0.0])
