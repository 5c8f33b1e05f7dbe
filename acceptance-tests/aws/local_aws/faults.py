"""Faults a test orders: which calls they hit, how often they fired, which calls they hold."""

from __future__ import annotations

import fnmatch
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from local_aws.wire.call import Call

ACTIONS = (
    "error500",
    "throttle",
    "expired_token",
    "access_denied",
    "error",
    "reset_before",
    "reset_after",
    "stall",
    "stale_read",
    "hold",
    "hold_before",
)
_HOLD_POLL_SECONDS = 0.1
# Members of a fault that no order may set.
_KEPT_HERE = ("id", "seen", "fired", "holding", "_tokens", "_filled")
_numbers = itertools.count(1)


class FaultMistake(ValueError):
    """The order for a fault makes no sense."""


@dataclass
class Fault:
    action: str
    service: str = "*"
    operation: str = "*"
    resource: str = "*"
    occurrence: int = 1
    times: int = 1
    until_cleared: bool = False
    mutating: bool | None = None
    seconds: float = 2.0
    # A rate: fires only at calls beyond so many per second.
    per_second: float | None = None
    code: str | None = None
    message: str | None = None
    status: int | None = None
    id: str = field(default_factory=lambda: f"f{next(_numbers)}")
    seen: int = 0
    fired: int = 0
    holding: int = 0
    _tokens: float = field(default=1.0, repr=False)
    _filled: float = field(default_factory=time.monotonic, repr=False)

    def matches(self, call: Call) -> bool:
        return (
            (self.mutating is None or self.mutating == call.mutating)
            and fnmatch.fnmatchcase(call.service, self.service)
            and fnmatch.fnmatchcase(call.operation, self.operation)
            and (self.resource == "*" or fnmatch.fnmatchcase(call.resource, self.resource))
        )

    def wants_to_fire(self) -> bool:
        if self.per_second is not None:
            return self.seen >= self.occurrence and not self._within_rate(self.per_second)
        return self.seen >= self.occurrence and (self.until_cleared or self.fired < self.times)

    def _within_rate(self, rate: float) -> bool:
        """A token bucket that holds what one second brings, in real time."""
        now = time.monotonic()
        self._tokens = min(max(rate, 1.0), self._tokens + (now - self._filled) * rate)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def describe(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class Faults:
    """All faults of one account."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._released: set[str] = set()
        self._changed = threading.Condition()

    def add(self, order: dict[str, Any]) -> Fault:
        known = {name for name in Fault.__dataclass_fields__ if name not in _KEPT_HERE}
        unknown = set(order) - known
        if unknown:
            raise FaultMistake(f"unknown members: {', '.join(sorted(unknown))}")
        if order.get("action") not in ACTIONS:
            raise FaultMistake(f"action must be one of {', '.join(ACTIONS)}")
        fault = Fault(**order)
        with self._changed:
            self._faults.append(fault)
        return fault

    def take(self, call: Call) -> Fault | None:
        """Counts the call in every fault it matches and answers the one that fires."""
        with self._changed:
            chosen = None
            for fault in self._faults:
                if not fault.matches(call):
                    continue
                fault.seen += 1
                if chosen is None and fault.wants_to_fire():
                    chosen = fault
            if chosen is not None:
                chosen.fired += 1
                self._changed.notify_all()
            return chosen

    def hold(self, fault: Fault, call: Call) -> bool:
        """Waits for the release; False if the caller has gone before it."""
        with self._changed:
            fault.holding += 1
            self._changed.notify_all()
            try:
                while fault.id not in self._released:
                    if not call.request.connected():
                        return False
                    self._changed.wait(_HOLD_POLL_SECONDS)
                return True
            finally:
                fault.holding -= 1
                self._changed.notify_all()

    def release(self, fault_id: str) -> bool:
        with self._changed:
            known = any(fault.id == fault_id for fault in self._faults)
            self._released.add(fault_id)
            self._changed.notify_all()
            return known

    def clear(self, fault_id: str | None = None) -> int:
        with self._changed:
            gone = [fault for fault in self._faults if fault_id in (None, fault.id)]
            self._faults = [fault for fault in self._faults if fault not in gone]
            self._released |= {fault.id for fault in gone}
            self._changed.notify_all()
            return len(gone)

    def mark(self) -> None:
        with self._changed:
            for fault in self._faults:
                fault.seen = 0

    def describe(self) -> list[dict[str, Any]]:
        with self._changed:
            return [fault.describe() for fault in self._faults]

    def wait(self, fault_id: str, fired: int, timeout: float) -> dict[str, Any]:
        """Until the fault has fired that often; a hold only counts once the call is held."""
        end = time.monotonic() + timeout
        with self._changed:
            fault = next((fault for fault in self._faults if fault.id == fault_id), None)
            if fault is None:
                raise FaultMistake(f"no fault {fault_id}")
            while True:
                holds = fault.action.startswith("hold") and fault.id not in self._released
                done = fault.fired >= fired and (not holds or fault.holding > 0)
                left = end - time.monotonic()
                if done or left <= 0:
                    return fault.describe() | {"timed_out": not done}
                self._changed.wait(left)
