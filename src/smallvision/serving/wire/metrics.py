"""What the server counts, in a registry of its own, as Prometheus reads it."""

from __future__ import annotations

import os

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from smallvision.serving.wire.limits import COUNTS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class ServerMetrics:
    """Counters of one process; what is shown sums up those of all processes.

    Attributes:
        requests: by path and status.
        seconds: from the first byte of a request to the last of its answer, by path.
        pictures: by what came of them: answered, unlike the training images, refused.
        picture_seconds: to decode and answer one.
        waiting: requests that are read and not yet answered.
        body_bytes: that are held of requests.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        self._registry = registry
        self.requests = Counter(
            "smallvision_requests", "Requests answered.", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "smallvision_request_seconds",
            "From the head of a request to the end of its answer.",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self.pictures = Counter(
            "smallvision_pictures",
            "Pictures, by what came of them: answered, unlike (answered, and unlike the training "
            "images), refused.",
            ["outcome"],
            registry=registry,
        )
        self.picture_seconds = Histogram(
            "smallvision_picture_seconds",
            "To decode and answer one picture.",
            buckets=SECONDS,
            registry=registry,
        )
        self.waiting = Gauge(
            "smallvision_waiting_requests",
            "Requests that are read and not yet answered.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.body_bytes = Gauge(
            "smallvision_body_bytes",
            "Bytes held of requests.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def render(self) -> bytes:
        """All figures as text."""
        registry = self._registry
        if os.environ.get(COUNTS):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
