"""Kubernetes versions that EKS offers, and the node images for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_aws.eks.errors import invalid_parameter
from local_aws.eks.requests import page
from local_aws.eks.scene import Scene, operation

# version: EKS release, end of standard support, end of extended support, newest patch.
CALENDAR = {
    "1.36": ("2026-06-02", "2027-08-02", "2028-08-02", "1.36.2"),
    "1.35": ("2026-01-28", "2027-03-27", "2028-03-27", "1.35.5"),
    "1.34": ("2025-10-02", "2026-12-02", "2027-12-02", "1.34.8"),
    "1.33": ("2025-05-29", "2026-07-29", "2027-07-29", "1.33.11"),
    "1.32": ("2025-01-23", "2026-03-23", "2027-03-23", "1.32.13"),
    "1.31": ("2024-09-26", "2025-11-26", "2026-11-26", "1.31.14"),
    "1.30": ("2024-05-23", "2025-07-23", "2026-07-23", "1.30.14"),
}
DEFAULT_VERSION = "1.35"
# Dates of node image releases, the newest first.
IMAGE_DATES = ("20261112", "20261015")


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minor(version: str) -> int:
    return int(version.split(".")[1])


def support(version: str) -> str:
    """STANDARD_SUPPORT, EXTENDED_SUPPORT or UNSUPPORTED, by today's date."""
    _, standard_ends, extended_ends, _ = CALENDAR[version]
    today = datetime.now(UTC)
    if today >= _day(extended_ends):
        return "UNSUPPORTED"
    return "EXTENDED_SUPPORT" if today >= _day(standard_ends) else "STANDARD_SUPPORT"


def require_offered(version: str, **fields: Any) -> None:
    if version not in CALENDAR or support(version) == "UNSUPPORTED":
        raise invalid_parameter("unsupported Kubernetes version", **fields)


def platform_version(version: str) -> str:
    return f"eks.{max(1, 40 - minor(version))}"


def releases(version: str, ami_type: str) -> list[str]:
    """Release versions of node images for a Kubernetes version, the newest first."""
    patch = CALENDAR[version][3] if version in CALENDAR else f"{version}.0"
    if ami_type.startswith("BOTTLEROCKET"):
        return ["1.52.0-6bb2b8a1", "1.51.0-47438798"]
    if ami_type.startswith("WINDOWS"):
        return [f"{version}-2026.11.12", f"{version}-2026.10.15"]
    older = patch.rpartition(".")
    return [f"{patch}-{IMAGE_DATES[0]}", f"{older[0]}.{max(0, int(older[2]) - 1)}-{IMAGE_DATES[1]}"]


def release_fits(release: str, version: str, ami_type: str) -> bool:
    if ami_type.startswith("BOTTLEROCKET"):
        return True
    return release.startswith((f"{version}.", f"{version}-"))


@operation
def describe_cluster_versions(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    found = []
    for version, (released, standard_ends, extended_ends, patch) in CALENDAR.items():
        state = support(version)
        if parameters.get("clusterVersions") and version not in parameters["clusterVersions"]:
            continue
        if state == "UNSUPPORTED" and not parameters.get("includeAll") and not parameters.get("clusterVersions"):
            continue
        if parameters.get("defaultOnly") and version != DEFAULT_VERSION:
            continue
        if parameters.get("versionStatus", state) != state:
            continue
        old_status = state.lower().replace("_", "-")
        if parameters.get("status", old_status) != old_status:
            continue
        found.append(
            {
                "clusterVersion": version,
                "clusterType": "eks",
                "defaultPlatformVersion": platform_version(version),
                "defaultVersion": version == DEFAULT_VERSION,
                "releaseDate": _day(released).timestamp(),
                "endOfStandardSupportDate": _day(standard_ends).timestamp(),
                "endOfExtendedSupportDate": _day(extended_ends).timestamp(),
                "status": old_status,
                "versionStatus": state,
                "kubernetesPatchVersion": patch,
            }
        )
    shown, token = page(found, parameters)
    return {"clusterVersions": shown, "nextToken": token}
