"""What EKS remembers: clusters and their parts, in one region of one account."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Record = TypeVar("Record")


class Shelf(dict[str, Record], Generic[Record]):
    """Records by name, which List sees a little later than Describe."""

    def __init__(self) -> None:
        super().__init__()
        self._listed_from: dict[str, float] = {}
        self._listed_until: dict[str, float] = {}

    def put(self, name: str, record: Record, listed_from: float) -> Record:
        self[name] = record
        self._listed_from[name] = listed_from
        return record

    def take(self, name: str, listed_until: float) -> Record:
        self._listed_until[name] = listed_until
        self._listed_from.pop(name, None)
        return self.pop(name)

    def listed(self, now: float) -> list[str]:
        names = {name for name in self if self._listed_from.get(name, 0) <= now}
        names |= {name for name, until in self._listed_until.items() if until > now}
        return sorted(names)


def _uid() -> str:
    return str(uuid.uuid4())


@dataclass
class Part:
    """A node group, add-on, access entry or association. `view` is what Describe answers."""

    view: dict[str, Any]
    created: float
    uid: str = field(default_factory=_uid)
    updates: dict[str, Update] = field(default_factory=dict)
    # Access entries: associated policies by ARN.
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Node groups: the id of their launch template.
    launch_template: str | None = None
    # Add-ons: whether self-managed objects of that name are in the way.
    conflict: bool = False
    # Add-ons: associations made by CreateAddon, by service account.
    associations: dict[str, str] = field(default_factory=dict)
    preserve: bool = False


@dataclass
class Update:
    view: dict[str, Any]
    # What becomes true when the update succeeds: paths into the view of what is updated.
    changes: dict[str, Any]
    created: float


@dataclass
class Cluster:
    view: dict[str, Any]
    created: float
    uid: str = field(default_factory=_uid)
    zones: set[str] = field(default_factory=set)
    interfaces: list[str] = field(default_factory=list)
    # Names of add-ons EKS installed by itself, without an add-on of that name.
    self_managed: set[str] = field(default_factory=set)
    # The endpoint it has in AWS, once it is active.
    served_at: str | None = None
    nodegroups: Shelf[Part] = field(default_factory=Shelf)
    addons: Shelf[Part] = field(default_factory=Shelf)
    entries: Shelf[Part] = field(default_factory=Shelf)
    associations: Shelf[Part] = field(default_factory=Shelf)
    updates: dict[str, Update] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.view["name"]


@dataclass
class EksRegion:
    clusters: Shelf[Cluster] = field(default_factory=Shelf)
    # (operation, token) -> the digest of the input and the answer.
    tokens: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
