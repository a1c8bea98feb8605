"""Weights & Biases: a run is gone on with by its fixed id; a note says how far it was told.

Without an address nothing is sent: the runs lie in a folder until `wandb sync` sends them.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from smallvision.records.files import make_folder, read_text, write_text
from smallvision.records.nofollow import exists
from smallvision.tracking.readings import TrackedRun
from smallvision.tracking.tracker import TrackerPlace, import_library

FAILED = 1  # exit code


class WandbTracker:
    """A server of Weights & Biases; without an address, a folder of runs that were not sent.

    Args:
        place: the folder, and the address.

    Raises:
        SettingError: wandb is not installed.
    """

    def __init__(self, place: TrackerPlace) -> None:
        self.place = place
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing is sent to anybody else
        self.library = import_library("wandb", "wandb")
        make_folder(place.folder)
        self.open: dict[str, Any] = {}

    def write(self, run: TrackedRun) -> None:
        """Tell what was not told of a run before."""
        note = self.place.folder / f"smallvision-{run.key}.txt"
        now = f"{max(run.epochs, default=0)} {hashlib.sha256(repr(run).encode()).hexdigest()}"
        before = read_text(note) if exists(note) else ""
        if before == now:
            return
        entry = self.open.get(run.key) or self.begin(run)
        self.open[run.key] = entry
        told = int(before.partition(" ")[0] or 0)
        for epoch, figures in run.epochs.items():
            if epoch > told:
                entry.log(dict(figures), step=epoch)
        entry.summary.update(dict(run.figures))
        entry.config.update({"tags": dict(run.tags)}, allow_val_change=True)
        if run.is_over:
            entry.finish(exit_code=0 if run.state == "done" else FAILED)
            del self.open[run.key]
        write_text(note, now)

    def close(self) -> None:
        """Finish the runs under way; a later call goes on with them."""
        for entry in self.open.values():
            entry.finish()
        self.open.clear()

    @property
    def hint(self) -> str:
        """The command that sends what lies in the folder, or where it was sent."""
        if self.place.uri is not None:
            return self.place.shown
        return f"wandb sync --append {self.place.folder}/wandb/offline-run-*"

    def begin(self, run: TrackedRun) -> Any:
        """Open a run by its id, where it is new or not."""
        server = {} if self.place.uri is None else {"base_url": self.place.uri}
        settings = self.library.Settings(
            **server,
            console="off",
            disable_git=True,
            init_timeout=30,
            silent=True,
            x_save_requirements=False,
            x_disable_machine_info=True,
            x_disable_meta=True,
            x_disable_stats=True,
        )
        return self.library.init(
            project=run.project.replace("/", "-"),
            id=run.key,
            name=run.name,
            config=dict(run.params),
            dir=str(self.place.folder),
            mode="offline" if self.place.uri is None else "online",
            resume="allow" if self.place.uri is not None else None,
            reinit="create_new",
            settings=settings,
        )
