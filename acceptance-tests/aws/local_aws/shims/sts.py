"""STS: who calls, and credentials that carry the account of their role."""

from __future__ import annotations

import re

from local_aws import sessions
from local_aws.shims.passage import Passage, shim
from local_aws.wire.message import Response


@shim("sts", "GetCallerIdentity")
def caller_identity(passage: Passage) -> Response:
    call = passage.call
    body = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{call.principal_arn}</Arn><UserId>{call.user_id}</UserId><Account>{call.account}</Account>"
        "</GetCallerIdentityResult><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>"
        "</ResponseMetadata></GetCallerIdentityResponse>"
    )
    return Response(200, {"content-type": "text/xml"}, body.encode())


@shim("sts", "AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
def assume_role(passage: Passage) -> Response:
    """Gives out an access key id that carries the account of the role."""
    response = passage.forward()
    role = passage.parameters.get("RoleArn", "::::")
    account = role.split(":")[4]
    if response.status >= 300 or not re.fullmatch(r"\d{12}", account):
        return response
    key = f"ASIA0000{account}"
    response.body = re.sub(rb"<AccessKeyId>[^<]*</AccessKeyId>", f"<AccessKeyId>{key}</AccessKeyId>".encode(), response.body)
    answer = response.body.decode()
    token, secret, user_id = (_member(answer, name) for name in ("SessionToken", "SecretAccessKey", "AssumedRoleId"))
    name = user_id.rpartition(":")[2] or passage.parameters.get("RoleSessionName", "")
    sessions.remember(token, sessions.Session(key, secret, role, user_id, name))
    return response


def _member(answer: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", answer)
    return found.group(1).strip() if found else ""
