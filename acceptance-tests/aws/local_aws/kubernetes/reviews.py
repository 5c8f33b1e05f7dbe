"""The two questions an API server asks: whose token is this (TokenReview), and may they (SubjectAccessReview)."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

from local_aws import sessions
from local_aws.account import Account
from local_aws.eks.records import Cluster, Part
from local_aws.gateway import Gateway
from local_aws.kubernetes.access_policies import allows
from local_aws.kubernetes.bearer_tokens import Presigned, Refused, read
from local_aws.kubernetes.beds import Bed
from local_aws.wire.answers import json_response
from local_aws.wire.call import USER_ID, account_of, user_arn
from local_aws.wire.message import Request, Response

# Where a user carries the cluster they were let into, besides what EKS puts there: one API server may stand for
# several clusters.
_CLUSTER = "local-aws/cluster"


class Reviews:
    """Answers the API server of one bed."""

    def __init__(self, gateway: Gateway, bed: Bed) -> None:
        self._gateway, self._bed = gateway, bed

    def handle(self, request: Request) -> Response:
        try:
            review = json.loads(request.body)
            status = {"/authenticate": self._authenticate, "/authorize": self._authorize}[request.path](review["spec"])
        except (ValueError, KeyError, TypeError) as error:
            return json_response({"error": {"message": f"no review: {error!r}"}}, 400)
        return json_response({"apiVersion": review["apiVersion"], "kind": review["kind"], "status": status})

    def _authenticate(self, spec: dict[str, Any]) -> dict[str, Any]:
        try:
            user = self._user(read(spec["token"], datetime.now(UTC)))
        except Refused as refused:
            print(f"{self._bed.id}: token refused: {refused}", file=sys.stderr, flush=True)
            return {"authenticated": False, "error": str(refused)}
        return {"authenticated": True, "user": user}

    def _user(self, presigned: Presigned) -> dict[str, Any]:
        session = sessions.find(presigned.session_token, presigned.access_key)
        if presigned.session_token is not None and session is None:
            raise Refused("the session token was given to nobody")
        secret = session.secret if session else sessions.SECRET_ACCESS_KEY
        account = self._gateway.accounts.get(account_of(presigned.access_key))
        self._gateway.settle(account)
        with account.lock:
            region, cluster = self._addressed(account, presigned, secret)
            principal = session.role_arn if session else user_arn(account.id)
            entry = self._entry(account, cluster, principal)
            name = session.name if session else ""
            username = (
                entry.view["username"]
                # As the authenticator: a session name may be an address, which no user name takes.
                .replace("{{SessionName}}", name.replace("@", "-"))
                .replace("{{SessionNameRaw}}", name)
                .replace("{{AccountID}}", account.id)
            )
            user_id = session.user_id if session else USER_ID
            return {
                "username": username,
                "uid": f"aws-iam-authenticator:{account.id}:{user_id.partition(':')[0]}",
                "groups": list(entry.view["kubernetesGroups"]),
                "extra": {
                    "accessKeyId": [presigned.access_key],
                    "arn": [session.arn if session else principal],
                    "canonicalArn": [principal],
                    "principalId": [user_id.partition(":")[0]],
                    "sessionName": [name],
                    _CLUSTER: [f"{account.id}/{region}/{cluster.name}"],
                },
            }

    def _addressed(self, account: Account, presigned: Presigned, secret: str) -> tuple[str, Cluster]:
        """The cluster of this bed whose name was signed."""
        for (region, name), bed in account.kubernetes.items():
            if bed is self._bed and presigned.is_signed_for(name, secret):
                cluster = account.world.eks[region].clusters.get(name)
                if cluster is None or "endpoint" not in cluster.view:
                    raise Refused(f"there is no cluster {name}")
                return region, cluster
        raise Refused("the signature does not match: another cluster, another key, or altered")

    @staticmethod
    def _entry(account: Account, cluster: Cluster, principal: str) -> Part:
        if cluster.view["accessConfig"]["authenticationMode"] == "CONFIG_MAP":
            raise Refused("the cluster takes no access entries")
        entry = cluster.entries.get(principal)
        if entry is None:
            raise Refused(f"no access entry for {principal}")
        if account.clock.now() < entry.created + account.durations["entry_propagation"]:
            raise Refused(f"the access entry for {principal} is not effective yet")
        return entry

    def _authorize(self, spec: dict[str, Any]) -> dict[str, Any]:
        extra = spec.get("extra") or {}
        marks, principals = extra.get(_CLUSTER) or [""], extra.get("canonicalArn") or [""]
        account_id, _, cluster_name = marks[0].partition("/")
        if not cluster_name:
            return {"allowed": False}
        region, _, name = cluster_name.partition("/")
        account = self._gateway.accounts.get(account_id)
        self._gateway.settle(account)
        with account.lock:
            cluster = account.world.eks[region].clusters.get(name)
            entry = cluster.entries.get(principals[0]) if cluster is not None else None
            for association in entry.policies.values() if entry is not None else []:
                if allows(association, spec):
                    return {"allowed": True, "reason": f"EKS Access Policy: allowed by {association['policyArn']}"}
        # No opinion: what the groups of the entry are bound to counts, too.
        return {"allowed": False}
