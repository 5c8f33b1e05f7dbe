"""What will happen later in virtual time, as data, so that it can be copied with the world."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import Any

_sequence = itertools.count()


@dataclass(order=True)
class Event:
    due: float
    sequence: int
    region: str = field(compare=False)
    kind: str = field(compare=False)
    data: dict[str, Any] = field(compare=False)


class Schedule:
    def __init__(self) -> None:
        self._events: list[Event] = []

    def add(self, due: float, region: str, kind: str, **data: Any) -> None:
        heapq.heappush(self._events, Event(due, next(_sequence), region, kind, data))

    def next_due(self, now: float) -> Event | None:
        """Takes the earliest event that is due; events may add further ones."""
        if self._events and self._events[0].due <= now:
            return heapq.heappop(self._events)
        return None
