"""Numbers for the operator, as Prometheus reads them: requests by route, ticks of the clock, uploads that waited."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("crowdalpha_requests_total", "Requests answered.", labels, registry=self._all)
        self._seconds = Histogram(
            "crowdalpha_request_seconds", "How long they took.", ("route",), buckets=SECONDS, registry=self._all
        )
        self._done = Counter("crowdalpha_events_total", "What the clock did.", ("action",), registry=self._all)
        self._ticked = Gauge("crowdalpha_last_tick_seconds", "When the clock last ticked.", registry=self._all)
        self._failed = Counter("crowdalpha_ticks_failed_total", "Ticks that raised.", registry=self._all)

    def saw(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def ticked(self, at: float, done: list[str]) -> None:
        """The clock ticked, and did these events."""
        self._ticked.set(at)
        for key in done:
            self._done.labels(key.partition(":")[0]).inc()

    def tick_failed(self) -> None:
        """A tick raised."""
        self._failed.inc()

    def text(self) -> bytes:
        """All numbers, in the format of Prometheus."""
        return generate_latest(self._all)
