"""What a request is in terms of AWS: account, service, operation, parameters, resource."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from local_aws import sessions
from local_aws.sessions import Session
from local_aws.wire import cbor
from local_aws.wire.message import Request
from local_aws.wire.rest_routes import match_route

DEFAULT_ACCOUNT = "123456789012"
READ_ONLY_PREFIX = "ASIAREADONLY"
# The unique id of the user that long-term keys belong to.
USER_ID = "AIDALOCALAWSADMIN0001"

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_ACCOUNT_IN_KEY = re.compile(r"(\d{12})$")
_READS = re.compile(
    r"^(Get|List|Describe|Head|BatchGet|BatchDescribe|BatchCheck|Simulate|Lookup|Search|Query|Scan|Filter|Select"
    r"|Preview|Validate|Check|Estimate|Test)"
)
# Parameters that name what a call is about, the most telling first.
_RESOURCE_PARAMETERS = (
    "RoleName",
    "InstanceProfileName",
    "PolicyArn",
    "PolicyName",
    "UserName",
    "OpenIDConnectProviderArn",
    "logGroupName",
    "resourceArn",
    "ResourceARN",
    "LaunchTemplateName",
    "LaunchTemplateId",
    "LaunchTemplateName.1",
    "LaunchTemplateId.1",
    "NetworkInterfaceId",
    "NetworkInterfaceId.1",
    "GroupId",
    "GroupName",
    "GroupId.1",
    "SubnetId",
    "SubnetId.1",
    "VpcId",
    "VpcId.1",
    "ResourceId.1",
    "AliasName",
    "KeyId",
    "repositoryName",
    "ecrRepositoryPrefix",
    "QueueName",
    "QueueUrl",
    "AlarmName",
    "SecretId",
    "Name",
    "name",
    "RoleArn",
    "logGroupIdentifier",
    "logGroupNamePrefix",
)


@dataclass
class Call:
    request: Request
    service: str
    operation: str
    account: str
    region: str
    access_key: str
    # query, ec2, json, rest-json or cbor: the shape in which the caller wants errors.
    protocol: str
    parameters: dict[str, Any] = field(default_factory=dict)
    resource: str = ""
    caller: str = "provider"
    number: int = 0
    # The credentials of AssumeRole that the call was made with.
    session: Session | None = None

    @property
    def mutating(self) -> bool:
        return not _READS.match(self.operation) and not (self.service == "sts" and self.operation.startswith("AssumeRole"))

    @property
    def read_only_principal(self) -> bool:
        return self.access_key.startswith(READ_ONLY_PREFIX)

    @property
    def principal_arn(self) -> str:
        if self.session is not None:
            return self.session.arn
        if self.read_only_principal:
            return f"arn:aws:sts::{self.account}:assumed-role/read-only/session"
        return user_arn(self.account)

    @property
    def entity_arn(self) -> str:
        """The principal in IAM: of a session, its role."""
        return self.session.role_arn if self.session is not None else self.principal_arn

    @property
    def user_id(self) -> str:
        if self.session is not None:
            return self.session.user_id
        return f"{self.access_key}:session" if self.read_only_principal else USER_ID


def account_of(access_key: str) -> str:
    found = _ACCOUNT_IN_KEY.search(access_key)
    return found.group(1) if found else DEFAULT_ACCOUNT


def user_arn(account: str) -> str:
    """The user that long-term keys belong to."""
    return f"arn:aws:iam::{account}:user/admin"


def read_call(request: Request) -> Call:
    """Works out what a request asks for; the operation is empty when nothing fits."""
    found = _CREDENTIAL.search(request.headers.get("authorization", "")) or _CREDENTIAL.search(unquote(request.query))
    access_key, region, service = found.groups() if found else ("", "us-east-1", "")
    call = Call(request, service, "", account_of(access_key), region, access_key, "rest-json")
    call.session = sessions.find(_session_token(request), access_key)
    target = request.headers.get("x-amz-target")
    smithy = re.match(r"/service/(\w+)/operation/(\w+)$", request.path)
    if smithy and "smithy-protocol" in request.headers:
        call.protocol, call.operation = "cbor", smithy.group(2)
        call.parameters = cbor.read(request.body)
    elif target:
        call.protocol, call.operation = "json", target.rsplit(".", 1)[-1]
        call.parameters = _json_object(request.body)
    elif service in ("eks", "") and (route := match_route("eks", request.method, request.path)):
        call.service = "eks"
        call.operation, groups = route
        call.parameters = {name: unquote(value) for name, value in groups.items()}
    else:
        form = dict(parse_qsl(request.query, keep_blank_values=True))
        if "form-urlencoded" in request.headers.get("content-type", ""):
            form |= dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if not service and form.get("Action", "").startswith("AssumeRoleWith"):
            # The only calls without a signature.
            service = call.service = "sts"
            call.account = account_of(form.get("RoleArn", "").partition(":role/")[0])
        if "Action" in form:
            call.protocol = "ec2" if service == "ec2" else "query"
            call.operation, call.parameters = form["Action"], form
        elif service and service != "eks" and (route := match_route(service, request.method, request.path)):
            call.operation = route[0]
    call.resource = _resource(call)
    return call


def _session_token(request: Request) -> str | None:
    if "x-amz-security-token" in request.headers:
        return request.headers["x-amz-security-token"]
    return dict(parse_qsl(request.query)).get("X-Amz-Security-Token")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _resource(call: Call) -> str:
    parameters = call.parameters
    if call.service == "eks":
        return _eks_resource(call)
    for name in _RESOURCE_PARAMETERS:
        value = parameters.get(name)
        if isinstance(value, str) and value:
            return value
    for value in parameters.values():
        if isinstance(value, list) and value and isinstance(value[0], str):
            return value[0]
    return ""


def _eks_resource(call: Call) -> str:
    """cluster, cluster/part or an ARN, as in the path or (for creations) in the body."""
    parameters = call.parameters
    if "resourceArn" in parameters:
        return parameters["resourceArn"]
    body = _json_object(call.request.body)
    query = dict(parse_qsl(call.request.query))
    if "/clusters" not in call.request.path:
        return query.get("addonName", "")
    cluster = parameters.get("name") or body.get("name") or ""
    if call.operation == "CreatePodIdentityAssociation":
        return f"{cluster}/{body.get('namespace')}/{body.get('serviceAccount')}"
    for name in ("nodegroupName", "addonName", "principalArn", "associationId", "updateId"):
        part = parameters.get(name) or (body.get(name) if call.request.method == "POST" else None)
        if part:
            return f"{cluster}/{part}"
    return cluster
