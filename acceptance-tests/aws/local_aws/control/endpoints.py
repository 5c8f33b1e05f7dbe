"""The control endpoints by method and path; README.md describes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from local_aws.account import Account
from local_aws.clock import DURATIONS
from local_aws.control.calls import call_for_test
from local_aws.control.inventory import by_service, inventory, summary
from local_aws.control.snapshots import Snapshots
from local_aws.control.vpc import ensure_vpc
from local_aws.eks import requests
from local_aws.eks.clusters import show_where_served
from local_aws.eks.nodegroups import scripts_changed
from local_aws.gateway import Gateway
from local_aws.kubernetes.beds import publish
from local_aws.permissions.policies import Policies
from local_aws.wire.answers import json_response
from local_aws.wire.call import DEFAULT_ACCOUNT
from local_aws.wire.message import Request, Response

DEFAULT_REGION = "us-east-1"
Order = dict[str, Any]
Endpoint = Callable[["Control", Account, Order], dict[str, Any]]
_ENDPOINTS: dict[tuple[str, str], Endpoint] = {}


class ControlMistake(ValueError):
    """A control request that makes no sense."""


def endpoint(method: str, name: str) -> Callable[[Endpoint], Endpoint]:
    def register(function: Endpoint) -> Endpoint:
        _ENDPOINTS[method, name] = function
        return function

    return register


class Control:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.snapshots = Snapshots()

    def handle(self, request: Request) -> Response:
        name = request.path.removeprefix("/_local/")
        found = _ENDPOINTS.get((request.method, name))
        if found is None:
            return json_response({"error": {"message": f"no control endpoint {request.method} {request.path}"}}, 404)
        try:
            order: Order = dict(parse_qsl(request.query))
            body = json.loads(request.body) if request.body else {}
            if not isinstance(body, dict):
                raise ControlMistake("the body must be a JSON object")
            order |= body
            account = self.gateway.accounts.get(str(order.get("account", DEFAULT_ACCOUNT)))
            return json_response(found(self, account, order))
        except (ValueError, KeyError, TypeError, NotImplementedError) as mistake:
            return json_response({"error": {"message": f"{type(mistake).__name__}: {mistake}"}}, 400)


def region_of(order: Order) -> str:
    return order.get("region", DEFAULT_REGION)


@endpoint("GET", "health")
def health(control: Control, account: Account, order: Order) -> Order:
    return {"ok": True}


@endpoint("POST", "call")
def call(control: Control, account: Account, order: Order) -> Order:
    return call_for_test(control.gateway, account, region_of(order), order)


@endpoint("POST", "vpc")
def vpc(control: Control, account: Account, order: Order) -> Order:
    return ensure_vpc(control.gateway, account, region_of(order))


@endpoint("GET", "journal")
def journal(control: Control, account: Account, order: Order) -> Order:
    return {"calls": account.journal.since(int(order.get("since", 0))), "last": account.journal.last}


@endpoint("POST", "mark")
def mark(control: Control, account: Account, order: Order) -> Order:
    account.faults.mark()
    return {"n": account.journal.last}


@endpoint("GET", "violations")
def violations(control: Control, account: Account, order: Order) -> Order:
    return {"violations": list(requests.violations)}


@endpoint("POST", "faults")
def add_fault(control: Control, account: Account, order: Order) -> Order:
    wanted = {name: value for name, value in order.items() if name != "account"}
    return {"id": account.faults.add(wanted).id}


@endpoint("GET", "faults")
def list_faults(control: Control, account: Account, order: Order) -> Order:
    return {"faults": account.faults.describe()}


@endpoint("GET", "faults/wait")
def wait_for_fault(control: Control, account: Account, order: Order) -> Order:
    return account.faults.wait(order["id"], int(order.get("fired", 1)), float(order.get("timeout", 30)))


@endpoint("POST", "faults/release")
def release_fault(control: Control, account: Account, order: Order) -> Order:
    if not account.faults.release(order["id"]):
        raise ControlMistake(f"no fault {order['id']}")
    return {}


@endpoint("DELETE", "faults")
def clear_faults(control: Control, account: Account, order: Order) -> Order:
    return {"cleared": account.faults.clear(order.get("id"))}


def _scripts_changed(control: Control, account: Account) -> None:
    with account.lock:
        for region in list(account.world.eks):
            scripts_changed(control.gateway.scene(account, region))


@endpoint("POST", "scripts")
def add_script(control: Control, account: Account, order: Order) -> Order:
    wanted = {name: value for name, value in order.items() if name != "account"}
    script = account.scripts.add(wanted)
    _scripts_changed(control, account)
    return {"id": script.id}


@endpoint("DELETE", "scripts")
def clear_scripts(control: Control, account: Account, order: Order) -> Order:
    cleared = account.scripts.clear(order.get("id"))
    _scripts_changed(control, account)
    return {"cleared": cleared}


@endpoint("GET", "config")
def read_config(control: Control, account: Account, order: Order) -> Order:
    return {"scale": account.clock.scale, "durations": account.durations}


@endpoint("POST", "config")
def write_config(control: Control, account: Account, order: Order) -> Order:
    durations = {name: float(value) for name, value in order.get("durations", {}).items()}
    unknown = set(durations) - set(DURATIONS)
    if unknown:
        raise ControlMistake(f"unknown durations: {', '.join(sorted(unknown))}")
    scale = float(order["scale"]) if "scale" in order else None
    if scale is not None and scale <= 0:
        raise ControlMistake("scale must be greater than zero")
    accounts = control.gateway.accounts
    targets = [account]
    if "account" not in order:
        targets = accounts.all()
        accounts.scale = scale or accounts.scale
        accounts.durations |= durations
    for target in targets:
        with target.lock:
            if scale is not None:
                target.clock.set_scale(scale)
            target.durations |= durations
    return read_config(control, account, order)


@endpoint("POST", "policies")
def set_policies(control: Control, account: Account, order: Order) -> Order:
    documents = order["documents"]
    policies = None if documents is None else Policies(documents)
    targets = [account]
    if "account" not in order:
        control.gateway.accounts.policies = policies
        targets = control.gateway.accounts.all()
    for target in targets:
        target.policies = policies
    return {"documents": len(documents or [])}


@endpoint("POST", "advance")
def advance(control: Control, account: Account, order: Order) -> Order:
    with account.lock:
        account.clock.set_now(account.clock.now() + float(order["seconds"]))
    control.gateway.settle(account)
    return {"virtual_time": account.clock.now()}


@endpoint("POST", "baseline")
def baseline(control: Control, account: Account, order: Order) -> Order:
    account.baseline = {thing.key for thing in inventory(control.gateway, account)}
    return {"objects": len(account.baseline)}


@endpoint("GET", "leaks")
def leaks(control: Control, account: Account, order: Order) -> Order:
    found = [thing for thing in inventory(control.gateway, account) if thing.key not in account.baseline]
    return {"count": len(found), "leaks": by_service(found)}


@endpoint("GET", "objects")
def objects(control: Control, account: Account, order: Order) -> Order:
    found = inventory(control.gateway, account)
    return {"objects": by_service(found, with_detail=True), "text": summary(account, found)}


@endpoint("POST", "reset")
def reset(control: Control, account: Account, order: Order) -> Order:
    accounts = control.gateway.accounts
    with account.lock:
        attached = account.kubernetes
        account.reset(accounts.scale, accounts.durations)
        control.gateway.backend.reset(account.id)
        control.snapshots.forget(account.id)
        publish(account, attached)
    return {}


@endpoint("POST", "snapshot")
def snapshot(control: Control, account: Account, order: Order) -> Order:
    return {"id": control.snapshots.take(control.gateway, account)}


@endpoint("POST", "restore")
def restore(control: Control, account: Account, order: Order) -> Order:
    control.snapshots.restore(control.gateway, account, order["id"])
    with account.lock:
        for region, name in account.kubernetes:
            show_where_served(control.gateway.scene(account, region), name)
        publish(account)
    return {}
