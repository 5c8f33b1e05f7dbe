"""Tags of everything in EKS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_aws.eks.errors import EksError, invalid_parameter
from local_aws.eks.scene import Scene, operation


def require_tags(tags: dict[str, str]) -> None:
    if len(tags) > 50:
        raise invalid_parameter("A resource can have at most 50 tags")
    for name in tags:
        if name.lower().startswith("aws:"):
            raise invalid_parameter("Tag keys must not begin with aws:")


def _views(scene: Scene) -> Iterator[tuple[str, dict[str, Any]]]:
    for cluster in scene.eks.clusters.values():
        yield cluster.view["arn"], cluster.view
        for shelf, member in (
            (cluster.nodegroups, "nodegroupArn"),
            (cluster.addons, "addonArn"),
            (cluster.entries, "accessEntryArn"),
            (cluster.associations, "associationArn"),
        ):
            for part in shelf.values():
                yield part.view[member], part.view


def _tagged(scene: Scene, arn: str) -> dict[str, Any]:
    for found, view in _views(scene):
        if found == arn:
            return view.setdefault("tags", {})
    raise EksError("NotFoundException", f"Resource not found: {arn}")


@operation
def tag_resource(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    tags = _tagged(scene, parameters["resourceArn"])
    try:
        require_tags({**tags, **parameters["tags"]})
    except EksError as error:
        raise EksError("BadRequestException", error.message) from None
    tags.update(parameters["tags"])
    return {}


@operation
def untag_resource(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    tags = _tagged(scene, parameters["resourceArn"])
    for name in parameters["tagKeys"]:
        tags.pop(name, None)
    return {}


@operation
def list_tags_for_resource(scene: Scene, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"tags": dict(_tagged(scene, parameters["resourceArn"]))}
