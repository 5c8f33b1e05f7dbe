"""All that one AWS account has here: its world, clock, journal, faults and scripts."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from local_aws.clock import DURATIONS, Clock
from local_aws.eks.records import EksRegion
from local_aws.faults import Faults
from local_aws.journal import Journal
from local_aws.kubernetes.beds import Bed
from local_aws.permissions.policies import Policies
from local_aws.schedule import Schedule
from local_aws.scripts import Scripts


@dataclass
class EcrRegistry:
    """What moto does not keep of a registry: one account in one region."""

    replication_rules: list[dict[str, Any]] = field(default_factory=list)
    # By prefix.
    cache_rules: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class World:
    """What AWS holds and knows of the account outside the backend; copied by snapshots."""

    eks: dict[str, EksRegion] = field(default_factory=lambda: defaultdict(EksRegion))
    schedule: Schedule = field(default_factory=Schedule)
    # When IAM roles and KMS keys last changed, in virtual time: what is young is not yet effective.
    roles_changed: dict[str, float] = field(default_factory=dict)
    keys_changed: dict[str, float] = field(default_factory=dict)
    vpcs: dict[str, dict[str, Any]] = field(default_factory=dict)
    # What moto does not keep of a log group: (region, name) -> members of its description.
    log_groups: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    ecr: dict[str, EcrRegistry] = field(default_factory=lambda: defaultdict(EcrRegistry))
    # Keys that AWS manages: (region, service) -> ARN.
    managed_keys: dict[tuple[str, str], str] = field(default_factory=dict)
    # Metric filters of log groups: (region, group) -> name -> filter.
    metric_filters: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    # The services that were ever called, by region: nothing else can hold anything.
    used: set[tuple[str, str]] = field(default_factory=set)


class Account:
    def __init__(
        self,
        account_id: str,
        scale: float,
        durations: dict[str, float] | None = None,
        policies: Policies | None = None,
    ) -> None:
        self.id = account_id
        # What the caller may do; none: everything.
        self.policies = policies
        # One lock per account: different accounts never wait for each other.
        self.lock = threading.RLock()
        self.faults = Faults()
        self.durations = DURATIONS | (durations or {})
        self.clock = Clock(scale)
        self._start()

    def _start(self) -> None:
        # The clusters that a real API server stands for: (region, name).
        self.kubernetes: dict[tuple[str, str], Bed] = {}
        self.world = World()
        self.journal = Journal()
        self.scripts = Scripts()
        self.baseline: set[tuple[str, str, str, str]] = set()
        self.answers: dict[str, list[Any]] = {}

    def reset(self, scale: float, durations: dict[str, float]) -> None:
        self.faults.clear()
        self.durations = DURATIONS | durations
        self.clock = Clock(scale)
        self._start()


class Accounts:
    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.durations: dict[str, float] = {}
        self.policies: Policies | None = None
        self._accounts: dict[str, Account] = {}
        self._lock = threading.Lock()

    def get(self, account_id: str) -> Account:
        with self._lock:
            account = self._accounts.get(account_id)
            if account is None:
                account = self._accounts[account_id] = Account(account_id, self.scale, self.durations, self.policies)
            return account

    def all(self) -> list[Account]:
        with self._lock:
            return list(self._accounts.values())
