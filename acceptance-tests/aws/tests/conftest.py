"""One server for all tests; every test gets an account of its own, with time standing still."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from driver import Aws, Process

_accounts = itertools.count(200000000000)


@pytest.fixture(scope="session")
def server() -> Iterator[Process]:
    # One virtual second per second: tests move the time themselves.
    with Process("--scale", "1") as process:
        yield process


@pytest.fixture
def aws(server: Process) -> Iterator[Aws]:
    account = Aws(server.url, str(next(_accounts)))
    yield account
    account.control("DELETE", "faults")
    assert account.control("GET", "violations")["violations"] == []


@pytest.fixture
def other(server: Process) -> Aws:
    return Aws(server.url, str(next(_accounts)))


@pytest.fixture
def cluster(aws: Aws) -> Aws:
    """An account with an active cluster named prod."""
    aws.make_cluster()
    return aws
