"""What an operation of EKS may look at and touch."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable
from typing import Any

from local_aws.account import Account
from local_aws.cloud import Cloud
from local_aws.eks.records import EksRegion

_ALPHABET = string.ascii_lowercase + string.digits
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class Scene:
    def __init__(self, account: Account, region: str, cloud: Cloud, now: float, principal: str = "") -> None:
        self.account, self.region, self.cloud, self.now, self.principal = account, region, cloud, now, principal

    @property
    def eks(self) -> EksRegion:
        return self.account.world.eks[self.region]

    @property
    def partition(self) -> str:
        return next((name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws")

    def arn(self, rest: str) -> str:
        return f"arn:{self.partition}:eks:{self.region}:{self.account.id}:{rest}"

    def duration(self, name: str) -> float:
        return self.account.durations[name]

    def later(self, duration: str | float, kind: str, **data: Any) -> None:
        seconds = self.duration(duration) if isinstance(duration, str) else duration
        self.account.world.schedule.add(self.now + seconds, self.region, kind, **data)

    def listed_after(self) -> float:
        return self.now + self.duration("list_lag")

    def script(self, resource: str, kind: str) -> Any:
        return self.account.scripts.find(resource, kind)

    @staticmethod
    def timestamp() -> float:
        """Times in answers are real, so that no client sees a time in its future."""
        return time.time()

    @staticmethod
    def random_id(length: int) -> str:
        return "".join(random.choices(_ALPHABET, k=length))


Operation = Callable[[Scene, dict[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Operation] = {}
EVENTS: dict[str, Callable[..., None]] = {}


def operation(function: Operation) -> Operation:
    """Registers create_cluster as CreateCluster."""
    OPERATIONS["".join(word.capitalize() for word in function.__name__.split("_"))] = function
    return function


def event(function: Callable[..., None]) -> Callable[..., None]:
    EVENTS[function.__name__] = function
    return function
