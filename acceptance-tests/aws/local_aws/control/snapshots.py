"""Copies of all that AWS holds for an account."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass
from typing import Any

from local_aws.account import Account, World
from local_aws.gateway import Gateway


@dataclass
class Snapshot:
    account: str
    world: World
    virtual_time: float
    backend: Any


class Snapshots:
    def __init__(self) -> None:
        self._kept: dict[str, Snapshot] = {}
        self._numbers = itertools.count(1)

    def take(self, gateway: Gateway, account: Account) -> str:
        gateway.settle(account)
        with account.lock:
            snapshot = Snapshot(
                account.id,
                copy.deepcopy(account.world),
                account.clock.now(),
                gateway.backend.snapshot(account.id),
            )
        identifier = f"n{next(self._numbers)}"
        self._kept[identifier] = snapshot
        return identifier

    def restore(self, gateway: Gateway, account: Account, identifier: str) -> None:
        snapshot = self._kept.get(identifier)
        if snapshot is None or snapshot.account != account.id:
            raise ValueError(f"account {account.id} has no snapshot {identifier}")
        with account.lock:
            gateway.backend.restore(account.id, snapshot.backend)
            account.world = copy.deepcopy(snapshot.world)
            account.answers.clear()
            account.clock.set_now(snapshot.virtual_time)

    def forget(self, account: str) -> None:
        self._kept = {name: snapshot for name, snapshot in self._kept.items() if snapshot.account != account}
