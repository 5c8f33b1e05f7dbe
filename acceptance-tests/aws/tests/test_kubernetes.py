"""Clusters that a real API server stands for: endpoint, bearer tokens, access policies, associations."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from driver import REGION, Aws

ENDPOINT = {"endpoint": "https://127.0.0.1:6443", "certificate_authority": "Y2E="}
POLICY = "arn:aws:eks::aws:cluster-access-policy/"
SECRET = "not-a-secret"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "webhooks")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.key").write_bytes(private)
    return folder / "tls.crt", folder / "tls.key"


class Bed:
    def __init__(self, aws: Aws, folder: Path, certificate: tuple[Path, Path]) -> None:
        self.aws, self.associations = aws, folder / "associations.json"
        files = {"serving_certificate": str(certificate[0]), "serving_key": str(certificate[1])}
        made = aws.control("POST", "kubernetes/beds", **ENDPOINT, **files, associations=str(self.associations))
        self.id, self.url = made["id"], made["url"]
        self._tls = ssl.create_default_context(cafile=str(certificate[0]))

    def attach(self, name: str = "prod") -> dict[str, Any]:
        return self.aws.control("POST", "kubernetes", region=REGION, cluster=name, bed=self.id)

    def detach(self, name: str = "prod") -> dict[str, Any]:
        return self.aws.control("DELETE", "kubernetes", region=REGION, cluster=name)

    def ask(self, path: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"apiVersion": "v1", "kind": kind, "spec": spec}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body), context=self._tls) as answer:
            review = json.load(answer)
        assert (review["apiVersion"], review["kind"]) == ("v1", kind)
        return review["status"]

    def authenticate(self, token: str) -> dict[str, Any]:
        return self.ask("/authenticate", "TokenReview", {"token": token})

    def may(self, user: dict[str, Any], verb: str, resource: str, namespace: str = "", group: str = "") -> bool:
        attributes = {"verb": verb, "resource": resource, "namespace": namespace, "group": group}
        spec = {"user": user["username"], "extra": user["extra"], "resourceAttributes": attributes}
        return self.ask("/authorize", "SubjectAccessReview", spec)["allowed"]

    def identities(self) -> list[tuple[str, str]]:
        found = json.loads(self.associations.read_text())["identities"]
        return [(identity["namespace"], identity["serviceAccount"]) for identity in found]


@pytest.fixture
def bed(cluster: Aws, tmp_path: Path, certificate: tuple[Path, Path]) -> Bed:
    made = Bed(cluster, tmp_path, certificate)
    made.attach()
    return made


def token(
    aws: Aws,
    cluster: str = "prod",
    credentials: dict[str, str] | None = None,
    host: str = f"sts.{REGION}.amazonaws.com",
    region: str = REGION,
    more: str = "",
    expires: int = 60,
) -> str:
    """As `aws eks get-token` makes it, by botocore's signer."""
    found = credentials or {"AccessKeyId": aws.access_key, "SecretAccessKey": SECRET, "SessionToken": None}
    keys = botocore.credentials.Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    url = f"https://{host}/?Action=GetCallerIdentity&Version=2011-06-15{more}"
    request = botocore.awsrequest.AWSRequest("GET", url, headers={"x-k8s-aws-id": cluster} if cluster else {})
    botocore.auth.SigV4QueryAuth(keys, "sts", region, expires=expires).add_auth(request)
    return encode(request.url)


def encode(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def decode(made: str) -> str:
    text = made.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def let_in(aws: Aws, principal: str, *policies: tuple[str, dict[str, Any]], **entry: Any) -> None:
    aws.eks.create_access_entry(clusterName="prod", principalArn=principal, **entry)
    aws.advance(4)
    for policy, scope in policies:
        aws.eks.associate_access_policy(clusterName="prod", principalArn=principal, policyArn=POLICY + policy, accessScope=scope)


def admin(aws: Aws) -> str:
    return f"arn:aws:iam::{aws.account}:user/admin"


def test_an_attached_cluster_shows_where_it_is_served(cluster: Aws, tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    bed, before = Bed(cluster, tmp_path, certificate), cluster.show()
    assert bed.attach() == ENDPOINT
    shown = cluster.show()
    assert (shown["endpoint"], shown["certificateAuthority"]["data"]) == tuple(ENDPOINT.values())
    bed.attach("later")
    assert cluster.make_cluster(name="later")["endpoint"] == ENDPOINT["endpoint"]
    assert bed.detach() == {"detached": True}
    assert cluster.show()["endpoint"] == before["endpoint"]
    assert cluster.show("later")["endpoint"] == ENDPOINT["endpoint"]
    assert "error" in cluster.control("POST", "kubernetes", region=REGION, cluster="prod", bed="b0")


def test_an_entry_lets_its_principal_in_once_it_is_effective(bed: Bed) -> None:
    aws = bed.aws
    assert "no access entry" in bed.authenticate(token(aws))["error"]
    aws.eks.create_access_entry(clusterName="prod", principalArn=admin(aws), kubernetesGroups=["auditors"])
    assert "not effective yet" in bed.authenticate(token(aws))["error"]
    aws.advance(4)
    status = bed.authenticate(token(aws))
    assert status["authenticated"]
    assert (status["user"]["username"], status["user"]["groups"]) == (admin(aws), ["auditors"])
    assert status["user"]["extra"]["canonicalArn"] == [admin(aws)]
    aws.eks.delete_access_entry(clusterName="prod", principalArn=admin(aws))
    assert not bed.authenticate(token(aws))["authenticated"]


def test_a_session_is_the_principal_of_its_role(bed: Bed) -> None:
    aws = bed.aws
    role = aws.pod_role
    let_in(aws, role)
    credentials = aws.sts.assume_role(RoleArn=role, RoleSessionName="me@home")["Credentials"]
    user = bed.authenticate(token(aws, credentials=credentials))["user"]
    assert user["username"] == f"arn:aws:sts::{aws.account}:assumed-role/pod/me-home"
    assert (user["extra"]["canonicalArn"], user["extra"]["sessionName"]) == ([role], ["me@home"])
    # A session of another role has the same access key id here, and another secret.
    other = aws.sts.assume_role(RoleArn=aws.node_role, RoleSessionName="me")["Credentials"]
    assert "no access entry" in bed.authenticate(token(aws, credentials=other))["error"]
    mixed = {**credentials, "SessionToken": other["SessionToken"]}
    assert "signature" in bed.authenticate(token(aws, credentials=mixed))["error"]
    unknown = {**credentials, "SessionToken": "unknown"}
    assert "session token" in bed.authenticate(token(aws, credentials=unknown))["error"]


def test_a_session_calls_as_its_role(aws: Aws) -> None:
    made = aws.sts.assume_role(RoleArn=aws.pod_role, RoleSessionName="me")["Credentials"]
    request = botocore.awsrequest.AWSRequest("GET", f"{aws.url}/?Action=GetCallerIdentity&Version=2011-06-15")
    keys = botocore.credentials.Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    botocore.auth.SigV4Auth(keys, "sts", REGION).add_auth(request)
    sent = urllib.request.Request(request.url, headers=dict(request.headers.items()))
    with urllib.request.urlopen(sent) as answer:
        assert f"<Arn>arn:aws:sts::{aws.account}:assumed-role/pod/me</Arn>" in answer.read().decode()


@pytest.mark.parametrize("host", ["sts.us-west-2.amazonaws.com", "sts-fips.us-west-2.amazonaws.com", "sts.us-west-2.api.aws"])
def test_hosts_of_sts(bed: Bed, host: str) -> None:
    let_in(bed.aws, admin(bed.aws))
    assert bed.authenticate(token(bed.aws, host=host, region="us-west-2"))["authenticated"]
    assert "scope" in bed.authenticate(token(bed.aws, host=host))["error"]
    assert bed.authenticate(token(bed.aws, host="sts.amazonaws.com", region="us-east-1"))["authenticated"]


def _older(made: str, minutes: int) -> str:
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    url = decode(made)
    at = url.index("X-Amz-Date=") + len("X-Amz-Date=")
    return encode(url[:at] + then.strftime("%Y%m%dT%H%M%SZ") + url[at + 16 :])


REFUSED: list[tuple[str, Callable[[Aws], str]]] = [
    ("signature", lambda aws: token(aws, cluster="other")),
    ("signature", lambda aws: encode(decode(token(aws))[:-1] + "x")),
    ("did not sign", lambda aws: token(aws, cluster="")),
    ("older than 15 minutes", lambda aws: _older(token(aws), -16)),
    ("in the future", lambda aws: _older(token(aws), 6)),
    ("longer than 4096", lambda aws: "k8s-aws-v1." + "a" * 4096),
    ("does not begin", lambda aws: token(aws).removeprefix("k8s-aws-v1.")),
    ("not an encoded URL", lambda aws: "k8s-aws-v1.%%%"),
    ("unexpected host", lambda aws: token(aws, host="sts.example.com")),
    ("unexpected host", lambda aws: token(aws, host=f"sts.{REGION}.amazonaws.com.example.com")),
    ("unexpected scheme", lambda aws: encode(decode(token(aws)).replace("https://", "http://"))),
    ("not on the list", lambda aws: token(aws, more="&Extra=1")),
    ("more than once", lambda aws: token(aws, more="&action=GetCallerIdentity")),
    ("not GetCallerIdentity", lambda aws: encode(decode(token(aws)).replace("GetCallerIdentity", "GetSessionToken"))),
    ("X-Amz-Expires", lambda aws: token(aws, expires=901)),
]


@pytest.mark.parametrize(("reason", "made"), REFUSED)
def test_refused_tokens(bed: Bed, reason: str, made: Callable[[Aws], str]) -> None:
    let_in(bed.aws, admin(bed.aws))
    assert bed.authenticate(token(bed.aws))["authenticated"]
    status = bed.authenticate(made(bed.aws))
    assert not status["authenticated"]
    assert reason in status["error"]
    assert bed.aws.access_key not in status["error"]


def test_policies_allow_within_their_scope(bed: Bed) -> None:
    aws = bed.aws
    team = {"type": "namespace", "namespaces": ["team-*"]}
    let_in(aws, admin(aws), ("AmazonEKSViewPolicy", {"type": "cluster"}), ("AmazonEKSEditPolicy", team))
    user = bed.authenticate(token(aws))["user"]
    assert bed.may(user, "list", "pods", "anywhere")
    assert not bed.may(user, "create", "pods", "anywhere")
    assert not bed.may(user, "get", "secrets", "anywhere")
    assert bed.may(user, "create", "pods", "team-a")
    assert bed.may(user, "get", "secrets", "team-a")
    assert not bed.may(user, "create", "roles", "team-a", "rbac.authorization.k8s.io")
    assert not bed.may(user, "create", "namespaces")
    assert not bed.may(user, "get", "externalsecrets", "team-a", "external-secrets.io")
    admins = POLICY + "AmazonEKSAdminPolicy"
    aws.eks.associate_access_policy(clusterName="prod", principalArn=admin(aws), policyArn=admins, accessScope=team)
    assert bed.may(user, "create", "roles", "team-a", "rbac.authorization.k8s.io")
    everything = POLICY + "AmazonEKSClusterAdminPolicy"
    scope = {"type": "cluster"}
    aws.eks.associate_access_policy(clusterName="prod", principalArn=admin(aws), policyArn=everything, accessScope=scope)
    assert bed.may(user, "create", "externalsecrets", "anywhere", "external-secrets.io")
    aws.eks.delete_access_entry(clusterName="prod", principalArn=admin(aws))
    assert not bed.may(user, "list", "pods", "anywhere")


def test_the_end_of_a_bed(bed: Bed, other: Aws) -> None:
    other.make_cluster()
    other.control("POST", "kubernetes", region=REGION, cluster="prod", bed=bed.id)
    assert bed.aws.control("DELETE", "kubernetes/beds", id=bed.id) == {"detached": 2}
    assert all(aws.show()["endpoint"].endswith(".eks.amazonaws.com") for aws in (bed.aws, other))
    with pytest.raises(urllib.error.URLError):
        bed.authenticate("")
    assert "error" in bed.aws.control("DELETE", "kubernetes/beds", id=bed.id)


def test_policies_that_only_read(bed: Bed) -> None:
    aws, team = bed.aws, {"type": "namespace", "namespaces": ["shop"]}
    let_in(aws, admin(aws), ("AmazonEKSSecretReaderPolicy", team))
    user = bed.authenticate(token(aws))["user"]
    assert bed.may(user, "get", "secrets", "shop")
    assert not bed.may(user, "get", "secrets", "blog")
    assert not bed.may(user, "get", "pods", "shop")
    everything = {"policyArn": POLICY + "AmazonEKSAdminViewPolicy", "accessScope": {"type": "cluster"}}
    aws.eks.associate_access_policy(clusterName="prod", principalArn=admin(aws), **everything)
    assert bed.may(user, "list", "externalsecrets", "blog", "external-secrets.io")
    assert not bed.may(user, "create", "externalsecrets", "blog", "external-secrets.io")


def test_a_snapshot_keeps_where_clusters_are_served(cluster: Aws, tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    saved = cluster.control("POST", "snapshot")["id"]
    bed = Bed(cluster, tmp_path, certificate)
    bed.attach()
    pair = {"namespace": "shop", "serviceAccount": "api"}
    cluster.eks.create_pod_identity_association(clusterName="prod", roleArn=cluster.pod_role, **pair)
    cluster.control("POST", "restore", id=saved)
    assert cluster.show()["endpoint"] == ENDPOINT["endpoint"]
    assert bed.identities() == []


def test_users_without_an_entry_get_no_opinion(bed: Bed) -> None:
    assert not bed.may({"username": "system:anonymous", "extra": {}}, "list", "pods", "anywhere")
    with pytest.raises(urllib.error.HTTPError) as found:
        bed.ask("/nowhere", "TokenReview", {"token": ""})
    assert found.value.code == 400


def test_the_webhook_reads_the_associations(bed: Bed, other: Aws, certificate: tuple[Path, Path]) -> None:
    aws = bed.aws
    assert bed.identities() == []
    pair = {"namespace": "shop", "serviceAccount": "api"}
    made = aws.eks.create_pod_identity_association(clusterName="prod", roleArn=aws.pod_role, **pair)["association"]
    assert bed.identities() == [("shop", "api")]
    other.make_cluster()
    other.control("POST", "kubernetes", region=REGION, cluster="prod", bed=bed.id)
    second = {"namespace": "blog", "serviceAccount": "api"}
    other.eks.create_pod_identity_association(clusterName="prod", roleArn=other.pod_role, **second)
    assert bed.identities() == [("blog", "api"), ("shop", "api")]
    aws.eks.delete_pod_identity_association(clusterName="prod", associationId=made["associationId"])
    assert bed.identities() == [("blog", "api")]
    other.control("POST", "reset")
    assert bed.identities() == []


def test_the_end_of_a_cluster_ends_its_associations(bed: Bed) -> None:
    aws = bed.aws
    pair = {"namespace": "shop", "serviceAccount": "api"}
    aws.eks.create_pod_identity_association(clusterName="prod", roleArn=aws.pod_role, **pair)
    aws.eks.delete_cluster(name="prod")
    assert bed.identities() == [("shop", "api")]
    aws.advance(545)
    assert bed.identities() == []
