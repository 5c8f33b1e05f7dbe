"""The way of a call: account, journal, faults, EKS or the backend, answer."""

from __future__ import annotations

import re
import sys
import time
import traceback
from typing import Any, Protocol

from local_aws.account import Account, Accounts
from local_aws.cloud import Cloud, CloudError
from local_aws.eks.requests import record_violation
from local_aws.eks.scene import Scene
from local_aws.eks.service import run_due_events, serve
from local_aws.faults import Fault
from local_aws.journal import Journal
from local_aws.kubernetes.beds import Beds, publish
from local_aws.permissions import eks, others  # noqa: F401  (importing them registers them)
from local_aws.permissions.needs import needs_of
from local_aws.shims import (  # noqa: F401  (importing them registers them)
    alarms,
    ec2,
    ecr,
    ecr_registry,
    iam,
    kms,
    launch_templates,
    logs,
    metric_filters,
    ssm,
    sts,
)
from local_aws.shims.passage import SHIMS, Passage
from local_aws.stale_reads import remember, stale_answer
from local_aws.wire import cbor, models
from local_aws.wire.answers import cbor_response, denied, error_response, general_error, not_implemented
from local_aws.wire.call import Call, read_call
from local_aws.wire.message import RESET, Request, Response

_OWN_ERRORS = ("error500", "throttle", "expired_token", "access_denied", "error")
_HTML = re.compile(rb"^\s*<(!doctype|html)", re.IGNORECASE)


class Backend(Protocol):
    def send(self, request: Request, account: str) -> Response: ...

    def snapshot(self, account: str) -> Any: ...

    def restore(self, account: str, state: Any) -> None: ...

    def reset(self, account: str) -> None: ...


class Gateway:
    def __init__(self, accounts: Accounts, backend: Backend) -> None:
        self.accounts, self.backend, self.beds = accounts, backend, Beds()

    def handle(self, request: Request) -> Response:
        return self.run(read_call(request))

    def run(self, call: Call) -> Response:
        account = self.accounts.get(call.account)
        entry = account.journal.begin(call, account.clock.now())
        # Calls of a test itself are neither hit nor counted by faults.
        fault = account.faults.take(call) if call.caller != "test" else None
        if fault is None:
            response = self._effect(account, call)
            Journal.end(entry, response)
            return response
        entry["fault"] = {"id": fault.id, "action": fault.action}
        return self._run_with_fault(account, call, fault, entry)

    def _run_with_fault(self, account: Account, call: Call, fault: Fault, entry: dict[str, Any]) -> Response:
        action = fault.action
        if action == "hold_before" and not account.faults.hold(fault, call):
            entry["outcome"] = {"status": 0, "code": "gone"}
            return RESET
        if action == "stall":
            time.sleep(fault.seconds)
        if action == "reset_before":
            response = RESET
        elif action in _OWN_ERRORS:
            response = _ordered_error(call, fault)
        else:
            response = self._effect(account, call, stale=action == "stale_read")
        Journal.end(entry, RESET if action == "reset_after" else response)
        if action == "reset_after":
            return RESET
        if action == "hold" and not account.faults.hold(fault, call):
            return RESET
        return response

    def _effect(self, account: Account, call: Call, stale: bool = False) -> Response:
        with account.lock:
            scene = self.scene(account, call.region, call.entity_arn)
            run_due_events(scene, account.clock.now())
            if call.read_only_principal and call.mutating:
                return error_response(call, *general_error(call, "access_denied"))
            refused = self._refused(account, scene, call)
            if refused is not None:
                return refused
            if call.service:
                account.world.used.add((call.service, call.region))
            try:
                response = serve(scene, call) if call.service == "eks" else self._pass_on(scene, call)
                # Whatever made or ended an association: the call, or what was due before it.
                publish(account)
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                record_violation(call.operation, [repr(error)])
                return error_response(call, "InternalFailure", f"the local AWS failed: {error!r}", 500)
            if call.mutating:
                return response
            if stale:
                return stale_answer(account, call, response)
            remember(account, call, response)
            return response

    @staticmethod
    def _refused(account: Account, scene: Scene, call: Call) -> Response | None:
        # What a test does behind the provider's back is done by the administrator.
        if account.policies is None or call.caller == "test" or not call.operation:
            return None
        need = account.policies.first_refused(needs_of(scene, call))
        return need and error_response(call, *denied(call, need.action, need.resource))

    def scene(self, account: Account, region: str, principal: str = "") -> Scene:
        """The account as EKS sees it. Its own calls are not journalled and meet no faults."""
        return Scene(account, region, self.cloud(account, region), account.clock.now(), principal)

    def cloud(self, account: Account, region: str) -> Cloud:
        def send(request: Request) -> Response:
            call = read_call(request)
            return self._pass_on(self.scene(account, call.region, call.entity_arn), call)

        return Cloud(send, account.id, region)

    def _pass_on(self, scene: Scene, call: Call) -> Response:
        def send(request: Request) -> Response:
            try:
                response = self.backend.send(request, scene.account.id)
            except NotImplementedError:
                return not_implemented(call)
            except Exception as error:
                # A gap of the backend; the caller gets an error it can read, the log the rest.
                traceback.print_exc(file=sys.stderr)
                return error_response(call, "InternalFailure", f"the backend failed: {error!r}", 500)
            # Frameworks answer what they do not know in HTML, which no SDK can read.
            if response.status >= 400 and _HTML.match(response.body):
                return not_implemented(call)
            return response

        if not call.service or not call.operation:
            return not_implemented(call)
        if call.protocol == "cbor":
            return _answer_in_cbor(scene, call)
        shim = SHIMS.get((call.service, call.operation))
        return shim(Passage(call, scene, send)) if shim else send(call.request)

    def settle(self, account: Account) -> None:
        """Lets everything happen that is due by now."""
        with account.lock:
            run_due_events(self.scene(account, "us-east-1"), account.clock.now())
            publish(account)


def _answer_in_cbor(scene: Scene, call: Call) -> Response:
    """The backend knows no CBOR: the same call in a protocol it knows."""
    model = models.operation_model(call.service, call.operation)
    if model is None:
        return not_implemented(call)
    try:
        answer = scene.cloud.call(call.service, call.operation, **call.parameters)
    except CloudError as error:
        return error_response(call, error.code, error.message, error.status)
    return cbor_response(cbor.write(answer, model.output_shape))


def _ordered_error(call: Call, fault: Fault) -> Response:
    if fault.action == "error":
        code, message, status = "InternalFailure", "ordered by a test", 500
    else:
        code, message, status = general_error(call, fault.action)
    return error_response(call, fault.code or code, fault.message or message, fault.status or status)
