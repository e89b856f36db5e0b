"""How far a hop has come: `_progress/<run_id>/<hop>.json`, for those who follow the run."""

import logging
import time
from threading import Lock

from spark.lake import Lake

log = logging.getLogger(__name__)


class Progress:
    """Counts what a hop has done and tells it (`Progress` in contracts), from any thread.

    The hop does not depend on it: what the lake does not take goes to the log.
    """

    def __init__(
        self,
        lake: Lake,
        run_id: str,
        hop: str,
        unit: str,
        *,
        total: int | None = None,
        seconds_between: float = 0,
    ) -> None:
        """Tells that nothing is done yet. Later `seconds_between` lie between what is told, but the
        end is told at once.
        """
        self._lake = lake
        self._key = f"_progress/{run_id}/{hop}.json"
        self._unit = unit
        self._done = 0
        self._total = total
        self._seconds_between = seconds_between
        self._lock = Lock()
        self._tell()

    def one_done(self, *, of: int | None = None) -> None:
        """One more is done; `of` is the total, once it is known."""
        with self._lock:
            self._done += 1
            if of is not None:
                self._total = of
            if self._done == self._total or time.monotonic() >= self._next_at:
                self._tell()

    def _tell(self) -> None:
        self._next_at = time.monotonic() + self._seconds_between
        progress = {"done": self._done, "total": self._total, "unit": self._unit}
        try:
            self._lake.write_json(self._key, progress)
        except Exception:
            log.warning("the progress %s could not be written", progress, exc_info=True)
