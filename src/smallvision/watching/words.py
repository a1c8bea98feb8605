"""What a snapshot says in words, for the page and for the terminal."""

from __future__ import annotations

from smallvision.format import (
    format_accuracy,
    format_duration,
    format_interval,
    format_percent,
    join_words,
)
from smallvision.watching.snapshot import Snapshot, Step, Training

STATES = {
    "planned": "planned",
    "running": "running",
    "interrupted": "interrupted",
    "trained": "trained",
    "done": "done",
    "failed": "failed",
    "left out": "left out",
}
INTERRUPTED = "interrupted in "
PREPARING = "Nothing is trained yet"


def tell_state(snapshot: Snapshot) -> str:
    """The state of the work in one short sentence without a full stop."""
    count = f"{snapshot.done} of {len(snapshot.taken_on)} rungs done"
    if snapshot.state == "waiting":
        return PREPARING if snapshot.phase else "Waiting for the first record"
    if snapshot.state == "failed":
        return "Failed"
    if snapshot.kind != "study":
        return {
            "running": f"Running: {tell_run(snapshot)}",
            "interrupted": f"Interrupted: {tell_run(snapshot)}",
            "finished": "Finished",
        }[snapshot.state]
    if snapshot.state == "finished":
        return (
            f"Finished: the winner is {snapshot.best}" if snapshot.best else "Finished: no winner"
        )
    if snapshot.state == "interrupted":
        return f"Interrupted: {count}"
    return f"Running: {count}"


def tell_run(snapshot: Snapshot) -> str:
    """How far the one step of a run or a search is."""
    return tell_progress(snapshot.steps[0]).removeprefix(INTERRUPTED)


def tell_more(snapshot: Snapshot) -> str:
    """What a reader should know beside the state: what is done now, or what to do; or nothing."""
    if snapshot.state == "waiting":
        if snapshot.phase:
            return f"A process is at work: {snapshot.phase}."
        return "As soon as something is written to this folder, it is shown here."
    if snapshot.state == "interrupted":
        return "No process is at work there."
    if snapshot.state == "running" and snapshot.host:
        return f"It runs on {snapshot.host}, another machine, which is not asked whether it does."
    if snapshot.state == "running" and snapshot.phase:
        return f"{snapshot.phase[:1].upper()}{snapshot.phase[1:]}."
    if snapshot.state == "running" and snapshot.kind == "study":
        return f"{join_words([step.name for step in snapshot.now])}: {tell_now(snapshot)}"
    return snapshot.steps[0].note if snapshot.kind != "study" else ""


def tell_now(snapshot: Snapshot) -> str:
    """What the rungs that are under way find out."""
    return " ".join(step.question for step in snapshot.now)


def tell_resumption(snapshot: Snapshot) -> str:
    """The command that goes on with an interrupted study, if it is known; else nothing."""
    if snapshot.state != "interrupted" or not snapshot.command:
        return ""
    resumes = "--resume" in snapshot.command.split()
    return snapshot.command if resumes else f"{snapshot.command} --resume"


def tell_progress(step: Step) -> str:
    """How far a step is: its state, or the epoch, fold or trial that it is in."""
    if step.state not in ("running", "interrupted"):
        return STATES[step.state]
    word = "" if step.state == "running" else INTERRUPTED
    if step.search is not None and step.search.rerun is None and not is_past_search(step):
        done, asked = len(step.search.trials), step.search.trials_asked
        return f"{word}trial {min(done + 1, max(asked, 1))} of {max(asked, 1)}"
    one = find_current(step)
    if one is None:
        return STATES[step.state]
    label = f"{one.label}, " if one.label else ""
    return f"{word}{label}{tell_epoch(one)}"


def is_past_search(step: Step) -> bool:
    """Whether the run that follows a search inside a study has been begun."""
    return any(not one.label for one in step.trainings)


def find_current(step: Step) -> Training | None:
    """The training that stands for a step: one under way, or else the last that was begun."""
    unfinished = [one for one in step.trainings if not one.is_done]
    return next(iter(step.active or unfinished[-1:] or step.trainings[-1:]), None)


def tell_epoch(training: Training) -> str:
    """Which epoch a training is in."""
    if training.is_done:
        return "trained"
    if training.planned is None:
        return "before its first epoch"
    return f"epoch {min(training.epochs + 1, training.planned)} of {training.planned}"


def tell_result(step: Step) -> str:
    """The validation accuracy of a step: at its end with interval, before that the best so far."""
    if step.val is not None:
        return f"{format_accuracy(step.val)} ({format_interval(step.val)})"
    if step.search is not None and step.search.best is not None and not is_past_search(step):
        return f"{format_percent(step.search.best.accuracy)} in trial {step.search.best.number}"
    one = find_current(step)
    if step.state not in ("running", "interrupted") or one is None or one.best is None:
        return ""
    return f"{format_percent(one.best.judged)} so far"


def tell_left(snapshot: Snapshot) -> str:
    """The time that is left, as far as it can be estimated."""
    if snapshot.state in ("finished", "failed", "waiting"):
        return ""
    if snapshot.left_seconds is not None:
        return f"about {format_rough(snapshot.left_seconds)} left"
    known = [step for step in snapshot.now if step.left_seconds is not None]
    if snapshot.kind == "study" and known:
        rest = max(step.left_seconds or 0.0 for step in known)
        name = join_words([step.name for step in known])
        return f"about {format_rough(rest)} left of {name}; the rest has no plan"
    return ""


def format_rough(seconds: float) -> str:
    """A duration as coarse as an estimate is worth: seconds, tens of seconds, minutes.

    >>> format_rough(4.2), format_rough(61.0), format_rough(3599.0)
    ('5 s', '70 s', '1 h')
    """
    grain = 1 if seconds < 30 else 10 if seconds < 600 else 60
    whole = -(-max(seconds, 1.0) // grain) * grain
    return f"{whole:.0f} s" if whole < 10 else format_duration(whole)


def tell_times(snapshot: Snapshot) -> str:
    """Time so far, time left and the budget in one line."""
    parts = []
    if snapshot.spent_seconds is not None:
        word = "in all" if snapshot.is_over else "so far"
        parts.append(f"{format_duration(snapshot.spent_seconds)} {word}")
    if left := tell_left(snapshot):
        parts.append(left)
    if snapshot.budget_seconds is not None:
        parts.append(f"budget {format_duration(snapshot.budget_seconds)}")
    return ", ".join(parts)


def group_left_out(snapshot: Snapshot) -> list[tuple[str, list[str]]]:
    """The rungs that are left out, by reason."""
    return [
        (reason, [step.name for step in snapshot.left_out if step.note == reason])
        for reason in dict.fromkeys(step.note for step in snapshot.left_out)
    ]


def tell_test(snapshot: Snapshot) -> str:
    """The test result in a sentence, or nothing."""
    if snapshot.test is None:
        return ""
    test = snapshot.test
    return (
        f"Test: {format_accuracy(test)} on {test.n:,} images (95 % interval "
        f"{format_interval(test)})."
    )
