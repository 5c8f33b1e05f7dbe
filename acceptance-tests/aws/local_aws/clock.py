"""Virtual time: real durations of AWS, passed faster."""

from __future__ import annotations

import time

# Virtual seconds; the sources stand in RULES.md.
DURATIONS: dict[str, float] = {
    "cluster_create": 600,
    "cluster_delete": 540,
    "cluster_version_update": 600,
    "cluster_config_update": 60,
    "encryption_update": 600,
    "nodegroup_create": 180,
    "nodegroup_create_failure": 1200,
    "nodegroup_delete": 180,
    "nodegroup_config_update": 60,
    "nodegroup_version_update": 300,
    "addon_create": 45,
    "addon_update": 45,
    "addon_delete": 45,
    "addon_recovery": 30,
    "iam_propagation": 10,
    "kms_propagation": 10,
    "entry_propagation": 3,
    "list_lag": 3,
    "updating_appears": 5,
    "update_settles": 5,
    "log_group_returns": 60,
    "health_check": 30,
}


class Clock:
    """Virtual seconds since the epoch, starting at the real time."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self._real = time.time()
        self._virtual = self._real

    def now(self) -> float:
        return self._virtual + (time.time() - self._real) * self.scale

    def set_scale(self, scale: float) -> None:
        self.set_now(self.now())
        self.scale = scale

    def set_now(self, virtual: float) -> None:
        self._real, self._virtual = time.time(), virtual
