"""Starts the server and talks to it as one account."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import botocore.config
import botocore.exceptions
import pytest

PACKAGE = Path(__file__).parent.parent
LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
REGION = "eu-central-1"
_SESSION = boto3.Session()


class Process:
    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    def __enter__(self) -> Process:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local_aws", "--exit-with-parent", *self._arguments],
            cwd=PACKAGE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.url = json.loads(self._process.stdout.readline())["url"]
        return self

    def close_input(self) -> int:
        self._process.stdin.close()
        return self._process.wait(timeout=10)

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.close_input()


def trust(*services: str, **principals: Any) -> str:
    principal = {"Service": list(services)} if services else principals
    statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Aws:
    def __init__(self, url: str, account: str, key_prefix: str = "AKIA0000", region: str = REGION) -> None:
        self.url, self.account, self.region = url, account, region
        self.access_key = key_prefix + account

    def client(self, service: str, attempts: int = 1, read_timeout: float = 20) -> Any:
        return _SESSION.client(
            service,
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key="secret",
            config=botocore.config.Config(
                retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=read_timeout
            ),
        )

    @functools.cached_property
    def eks(self) -> Any:
        return self.client("eks")

    @functools.cached_property
    def iam(self) -> Any:
        return self.client("iam")

    @functools.cached_property
    def ec2(self) -> Any:
        return self.client("ec2")

    @functools.cached_property
    def kms(self) -> Any:
        return self.client("kms")

    @functools.cached_property
    def logs(self) -> Any:
        return self.client("logs")

    @functools.cached_property
    def sts(self) -> Any:
        return self.client("sts")

    def control(self, method: str, name: str, **order: Any) -> dict[str, Any]:
        order.setdefault("account", self.account)
        url, body = f"{self.url}/_local/{name}", None
        if method == "POST":
            body = json.dumps(order).encode()
        else:
            url += "?" + urlencode(order)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=40) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def advance(self, seconds: float) -> None:
        self.control("POST", "advance", seconds=seconds)

    def fault(self, action: str, **order: Any) -> str:
        answer = self.control("POST", "faults", action=action, **order)
        assert "id" in answer, answer
        return answer["id"]

    def script(self, resource: str, script: str, issues: list[dict[str, Any]] | None = None) -> str:
        return self.control("POST", "scripts", resource=resource, script=script, issues=issues or [])["id"]

    def calls(self, **wanted: Any) -> list[dict[str, Any]]:
        calls = self.control("GET", "journal")["calls"]
        return [call for call in calls if all(call[name] == value for name, value in wanted.items())]

    def leaks(self) -> dict[str, list[str]]:
        found = self.control("GET", "leaks")["leaks"]
        return {service: [thing["kind"] for thing in things] for service, things in found.items()}

    @functools.cached_property
    def vpc(self) -> dict[str, Any]:
        return self.control("POST", "vpc", region=self.region)

    @property
    def subnets(self) -> list[str]:
        return self.vpc["subnet_ids"]

    def role(self, name: str, service: str, policy: str | None = None, effective: bool = True) -> str:
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
        if policy:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        if effective:
            self.advance(11)
        return arn

    @functools.cached_property
    def cluster_role(self) -> str:
        return self.role("cluster", "eks.amazonaws.com", "AmazonEKSClusterPolicy")

    @functools.cached_property
    def node_role(self) -> str:
        return self.role("node", "ec2.amazonaws.com", "AmazonEKSWorkerNodePolicy")

    @functools.cached_property
    def pod_role(self) -> str:
        return self.role("pod", "pods.eks.amazonaws.com")

    def key(self, statements: list[dict[str, Any]] | None = None, effective: bool = True) -> str:
        root = {"AWS": f"arn:aws:iam::{self.account}:root"}
        default = [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}]
        policy = json.dumps({"Version": "2012-10-17", "Statement": default if statements is None else statements})
        arn = self.kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
        if effective:
            self.advance(11)
        return arn

    def cluster_request(self, **changed: Any) -> dict[str, Any]:
        request = {
            "name": "prod",
            "version": "1.34",
            "roleArn": changed.get("roleArn") or self.cluster_role,
            "resourcesVpcConfig": {"subnetIds": self.subnets},
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
            "bootstrapSelfManagedAddons": False,
        } | changed
        return {name: value for name, value in request.items() if value is not None}

    def make_cluster(self, **changed: Any) -> dict[str, Any]:
        self.eks.create_cluster(**self.cluster_request(**changed))
        self.advance(605)
        return self.show(changed.get("name", "prod"))

    def show(self, name: str = "prod") -> dict[str, Any]:
        return self.eks.describe_cluster(name=name)["cluster"]

    def nodegroup_request(self, **changed: Any) -> dict[str, Any]:
        request = {
            "clusterName": "prod",
            "nodegroupName": "general",
            "subnets": self.subnets,
            "nodeRole": changed.get("nodeRole") or self.node_role,
            "scalingConfig": {"minSize": 2, "maxSize": 4, "desiredSize": 2},
        } | changed
        return {name: value for name, value in request.items() if value is not None}

    def make_nodegroup(self, **changed: Any) -> dict[str, Any]:
        self.eks.create_nodegroup(**self.nodegroup_request(**changed))
        self.advance(185)
        return self.show_nodegroup(changed.get("nodegroupName", "general"))

    def show_nodegroup(self, name: str = "general") -> dict[str, Any]:
        return self.eks.describe_nodegroup(clusterName="prod", nodegroupName=name)["nodegroup"]

    def make_addon(self, name: str, **changed: Any) -> dict[str, Any]:
        self.eks.create_addon(clusterName="prod", addonName=name, **changed)
        self.advance(50)
        return self.show_addon(name)

    def show_addon(self, name: str) -> dict[str, Any]:
        return self.eks.describe_addon(clusterName="prod", addonName=name)["addon"]

    def template(self, data: dict[str, Any] | None = None, name: str = "nodes") -> str:
        answer = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data or {"EbsOptimized": True})
        return answer["LaunchTemplate"]["LaunchTemplateId"]


class Refused:
    """What an expected error said."""

    code = message = ""
    status = 0


class refused:
    """`with refused(code) as error:` expects an AWS error and keeps its text."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __enter__(self) -> Refused:
        self._refused = Refused()
        return self._refused

    def __exit__(self, _kind: Any, error: Any, _trace: Any) -> bool:
        if error is None:
            pytest.fail(f"expected {self._code}, but the call succeeded")
        if not isinstance(error, botocore.exceptions.ClientError):
            return False
        self._refused.code = error.response["Error"]["Code"]
        self._refused.message = error.response["Error"]["Message"]
        self._refused.status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert self._refused.code == self._code, self._refused.message
        return True


def shell_environment(aws: Aws) -> dict[str, str]:
    return {
        **os.environ,
        "AWS_ACCESS_KEY_ID": aws.access_key,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
