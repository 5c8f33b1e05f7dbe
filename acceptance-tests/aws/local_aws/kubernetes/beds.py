"""Beds: real API servers on this machine. Each stands for any number of clusters, in any accounts."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_aws.account import Account

# Account, region and name.
Cluster = tuple[str, str, str]


@dataclass
class Bed:
    id: str
    endpoint: str
    certificate_authority: str
    # The file that the Pod Identity webhook of this bed watches.
    associations: Path
    # Ends what answers its API server.
    close: Callable[[], None] = lambda: None
    _identities: dict[Cluster, list[tuple[str, str]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, identities: dict[Cluster, list[tuple[str, str]]]) -> None:
        """Replaces what these clusters associate. Clusters of one bed share its namespaces."""
        with self._lock:
            before = self._content()
            self._identities |= identities
            if self._content() != before or not self.associations.exists():
                self._write()

    def _content(self) -> dict[str, Any]:
        found = sorted({pair for pairs in self._identities.values() for pair in pairs})
        return {"identities": [{"namespace": namespace, "serviceAccount": account} for namespace, account in found]}

    def _write(self) -> None:
        # By rename: the webhook must never see half a file.
        unfinished = self.associations.with_name(self.associations.name + ".new")
        unfinished.write_text(json.dumps(self._content()))
        os.replace(unfinished, self.associations)


class Beds:
    def __init__(self) -> None:
        self._beds: dict[str, Bed] = {}
        self._numbers = itertools.count(1)

    def add(self, endpoint: str, certificate_authority: str, associations: Path) -> Bed:
        bed = Bed(f"b{next(self._numbers)}", endpoint, certificate_authority, associations)
        bed.publish({})
        self._beds[bed.id] = bed
        return bed

    def get(self, identifier: str) -> Bed:
        return self._beds[identifier]

    def take(self, identifier: str) -> Bed:
        return self._beds.pop(identifier)


def publish(account: Account, also: dict[tuple[str, str], Bed] | None = None) -> None:
    """Tells the beds what the account associates now; `also` are clusters that have just been detached."""
    for (region, name), bed in (account.kubernetes | (also or {})).items():
        cluster = account.world.eks[region].clusters.get(name) if (region, name) in account.kubernetes else None
        parts = cluster.associations.values() if cluster is not None else []
        bed.publish({(account.id, region, name): [(part.view["namespace"], part.view["serviceAccount"]) for part in parts]})
