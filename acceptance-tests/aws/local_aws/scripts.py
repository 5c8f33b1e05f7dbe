"""Scripts a test gives to resources: fail, stay stuck, degrade."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

SCRIPTS = ("fail", "stuck", "degrade", "delete_fail", "upgrade_blocked")
_numbers = itertools.count(1)


@dataclass
class Script:
    resource: str
    script: str
    issues: list[dict[str, Any]] = field(default_factory=list)
    region: str = "*"
    id: str = field(default_factory=lambda: f"s{next(_numbers)}")


class Scripts:
    """All scripts of one account."""

    def __init__(self) -> None:
        self._scripts: list[Script] = []

    def add(self, order: dict[str, Any]) -> Script:
        if order.get("script") not in SCRIPTS:
            raise ValueError(f"script must be one of {', '.join(SCRIPTS)}")
        if order.get("resource", "").partition("/")[0] not in ("cluster", "nodegroup", "addon"):
            raise ValueError("resource must begin with cluster/, nodegroup/ or addon/")
        script = Script(**order)
        self._scripts.append(script)
        return script

    def clear(self, script_id: str | None = None) -> int:
        before = len(self._scripts)
        self._scripts = [script for script in self._scripts if script_id not in (None, script.id)]
        return before - len(self._scripts)

    def find(self, resource: str, kind: str) -> Script | None:
        """The script of that kind whose resource is a prefix of this one."""
        for script in self._scripts:
            if script.script == kind and resource.startswith(script.resource.rstrip("*")):
                return script
        return None
