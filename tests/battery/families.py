"""Every family of trials: how many in the long battery, and how small a share by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.battery import (
    bounds,
    clocks,
    copies,
    damage,
    disks,
    edges,
    full_disks,
    hostile,
    kills,
    late_kills,
    links,
    numerics,
    owners,
    pictures,
    ranks,
    recipes,
    records,
    resources,
    searches,
    server,
    signals,
    stops,
    stores,
    workers,
)
from tests.battery.outcome import Outcome

Run = Callable[..., Outcome]


@dataclass(frozen=True)
class Family:
    """Trials of one kind.

    Attributes:
        run: makes trials, given a folder, their number and a seed.
        trials: in the long battery.
        share: in the default tests; none of what takes minutes and has tests of its own.
        brief: what makes them there; `run` itself where None.
    """

    run: Run
    trials: int
    share: int
    brief: Run | None = None


FAMILIES = {
    "kills": Family(kills.run, 50, 2, partial(kills.run, names=("train",))),
    "damage": Family(damage.run, 1020, 60),
    "hostile": Family(hostile.run, 1000, 1000),
    "links": Family(links.run, 600, 8),
    "bounds": Family(bounds.run, 1000, 150),
    "pictures": Family(pictures.run, 2000, 200),
    "recipes": Family(recipes.run, 1000, 100),
    "records": Family(records.run, 20_000, 300),
    "edges": Family(edges.run, 1000, 1000),
    "searches": Family(searches.run, 500, 60),
    "disks": Family(disks.run, 100, 5),
    "owners": Family(owners.run, 20, 1, partial(owners.run, many=0)),
    "numerics": Family(numerics.run, 50, 10),
    "signals": Family(signals.run, 40, 1, partial(signals.run, names=("train",))),
    "late kills": Family(late_kills.run, 30, 1, partial(late_kills.run, names=("evaluate",))),
    "real disks": Family(full_disks.run, 27, 3, partial(full_disks.run, names=("report",))),
    "resources": Family(resources.run, 50, 1),
    "clocks": Family(clocks.run, 18, 1, partial(clocks.run, names=("train",))),
    "stops": Family(stops.run, 18, 1, partial(stops.run, names=("train",))),
    "workers": Family(workers.run, 50, 1),
    "ranks": Family(ranks.run, 12, 0),
    "stores": Family(stores.run, 18, 1, partial(stores.run, names=("train",))),
    "server": Family(server.run, 128, 16, partial(server.run, seconds=3.0, linear=True)),
    "copies": Family(copies.run, 12, 0),
}
