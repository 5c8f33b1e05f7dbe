"""Bearer tokens of EKS: a presigned `sts:GetCallerIdentity`, checked as EKS and STS check it.

The rules are those of kubernetes-sigs/aws-iam-authenticator, pkg/token/token.go; RULES.md lists them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

PREFIX = "k8s-aws-v1."
LONGEST = 4096
# A token counts from X-Amz-Date on, whatever X-Amz-Expires says.
LIFETIME_SECONDS = 15 * 60
# How far a clock may be ahead of STS.
SKEW_SECONDS = 5 * 60
_PARAMETERS = {
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-user-agent",
}
_REGION = r"(?P<region>[a-z]{2,}(-[a-z]+)+-\d+)"
_HOSTS = [
    re.compile(rf"^sts(-fips)?\.{_REGION}\.amazonaws\.com(\.cn)?$"),
    re.compile(rf"^sts(-fips)?\.{_REGION}\.api\.aws$"),
    re.compile(rf"^sts\.{_REGION}\.api\.amazonwebservices\.com\.cn$"),
]
_GLOBAL_HOST, _GLOBAL_REGION = "sts.amazonaws.com", "us-east-1"
CLUSTER_HEADER = "x-k8s-aws-id"


class Refused(Exception):
    """Why somebody is not let in. Clients see a bare 401; this goes to the log."""


@dataclass(frozen=True)
class Presigned:
    """A token that is well formed and in time; who signed it, and for which cluster, is still open."""

    access_key: str
    session_token: str | None
    host: str
    scope: tuple[str, ...]
    date: str
    signed_headers: tuple[str, ...]
    query: str
    signature: str

    def is_signed_for(self, cluster: str, secret: str) -> bool:
        """Whether this secret signed it with this cluster's name in its header."""
        values = {"host": self.host, CLUSTER_HEADER: cluster}
        if not set(self.signed_headers) <= set(values):
            return False
        headers = [f"{name}:{values[name]}" for name in self.signed_headers]
        nothing = hashlib.sha256(b"").hexdigest()
        canonical = "\n".join(["GET", "/", self.query, *headers, "", ";".join(self.signed_headers), nothing])
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = ("AWS4" + secret).encode()
        for part in self.scope:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        text = "\n".join(["AWS4-HMAC-SHA256", self.date, "/".join(self.scope), digest])
        return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), self.signature)


def read(token: str, now: datetime) -> Presigned:
    if len(token.encode()) > LONGEST:
        raise Refused(f"the token is longer than {LONGEST} bytes")
    if not token.startswith(PREFIX):
        raise Refused(f"the token does not begin with {PREFIX}")
    encoded = token.removeprefix(PREFIX)
    try:
        url = urlsplit(base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError):
        raise Refused("the token is not an encoded URL") from None
    if url.scheme != "https" or url.path not in ("", "/") or url.fragment:
        raise Refused(f"unexpected scheme or path in the pre-signed URL: {url.scheme}, {url.path}")
    region = _region_of(url.netloc)
    try:
        pairs = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise Refused("the query of the pre-signed URL cannot be read") from None
    parameters = _whitelisted(pairs)
    if (parameters.get("action"), parameters.get("version")) != ("GetCallerIdentity", "2011-06-15"):
        raise Refused("the pre-signed call is not GetCallerIdentity")
    if parameters.get("x-amz-algorithm") != "AWS4-HMAC-SHA256":
        raise Refused("unexpected algorithm")
    headers = tuple(parameters.get("x-amz-signedheaders", "").split(";"))
    if not {"host", CLUSTER_HEADER} <= set(headers):
        raise Refused(f"the client did not sign the headers host and {CLUSTER_HEADER}")
    expires = parameters.get("x-amz-expires", "")
    if not re.fullmatch(r"[0-9]{1,3}", expires) or int(expires) > LIFETIME_SECONDS:
        raise Refused(f"X-Amz-Expires must be 0 to {LIFETIME_SECONDS}")
    date = parameters.get("x-amz-date", "")
    _require_in_time(date, now)
    access_key, _, scope = parameters.get("x-amz-credential", "").partition("/")
    if tuple(scope.split("/")) != (date[:8], region, "sts", "aws4_request"):
        raise Refused("the credential scope does not fit date and host")
    rest = sorted(f"{_escaped(name)}={_escaped(value)}" for name, value in pairs if name.lower() != "x-amz-signature")
    return Presigned(
        access_key=access_key,
        session_token=parameters.get("x-amz-security-token"),
        host=url.netloc,
        scope=tuple(scope.split("/")),
        date=date,
        signed_headers=headers,
        query="&".join(rest),
        signature=parameters.get("x-amz-signature", ""),
    )


def _region_of(host: str) -> str:
    if host == _GLOBAL_HOST:
        return _GLOBAL_REGION
    for pattern in _HOSTS:
        if found := pattern.match(host):
            return found["region"]
    raise Refused(f"unexpected host in the pre-signed URL: {host}")


def _whitelisted(pairs: list[tuple[str, str]]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name.lower() not in _PARAMETERS:
            raise Refused(f"a query parameter that is not on the list: {name}")
        if name.lower() in parameters:
            raise Refused(f"a query parameter more than once: {name}")
        parameters[name.lower()] = value
    return parameters


def _require_in_time(date: str, now: datetime) -> None:
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused("X-Amz-Date cannot be read") from None
    age = (now - signed).total_seconds()
    if age > LIFETIME_SECONDS:
        raise Refused("X-Amz-Date is older than 15 minutes")
    if age < -SKEW_SECONDS:
        raise Refused("X-Amz-Date is in the future")


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")
