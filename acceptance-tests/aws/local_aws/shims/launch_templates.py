"""EC2 launch templates: what does not exist, source versions, tags, and node groups that stand on them."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from botocore.serialize import create_serializer

from local_aws.cloud import CloudError
from local_aws.eks.nodegroups import foundations_changed
from local_aws.shims.passage import Passage, shim
from local_aws.wire import models
from local_aws.wire.message import Response

_TEMPLATE = re.compile(
    rb"(<launchTemplateId>(lt-\w+)</launchTemplateId>(?:(?!<launchTemplateId>).)*?</latestVersionNumber>)"
    rb"(?:<tagSet>.*?</tagSet>|<tagSet/>)?",
    re.DOTALL,
)
_TAG = re.compile(r"^TagSpecification\.(\d+)\.Tag\.(\d+)\.(Key|Value)$")


def _with_present_tags(passage: Passage, response: Response) -> Response:
    """moto shows the tags of the creation for ever; EC2 shows the present ones."""
    identifiers = [found.group(2).decode() for found in _TEMPLATE.finditer(response.body)]
    if response.status >= 300 or not identifiers:
        return response
    filters = [{"Name": "resource-id", "Values": identifiers}]
    tags: dict[str, list[str]] = {}
    for tag in passage.scene.cloud.call("ec2", "DescribeTags", Filters=filters)["Tags"]:
        item = f"<item><key>{escape(tag['Key'])}</key><value>{escape(tag['Value'])}</value></item>"
        tags.setdefault(tag["ResourceId"], []).append(item)

    def replace(found: re.Match[bytes]) -> bytes:
        items = "".join(tags.get(found.group(2).decode(), []))
        return found.group(1) + (f"<tagSet>{items}</tagSet>".encode() if items else b"")

    response.body = _TEMPLATE.sub(replace, response.body)
    return response


@shim("ec2", "CreateLaunchTemplate")
def create_launch_template(passage: Passage) -> Response:
    """moto would put the template's own tags into the tag specifications of its data."""
    rest, tags = {}, {}
    for name, value in passage.parameters.items():
        if found := _TAG.match(name):
            tags.setdefault(found.group(1, 2), {})[found.group(3)] = value
        elif not name.startswith("TagSpecification."):
            rest[name] = value
    response = passage.forward_form(rest)
    made = _TEMPLATE.search(response.body)
    if response.status >= 300 or made is None:
        return response
    if tags:
        wanted = [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in tags.values()]
        passage.scene.cloud.call("ec2", "CreateTags", Resources=[made.group(2).decode()], Tags=wanted)
    return _with_present_tags(passage, response)


def _refuse_name(passage: Passage, response: Response) -> Response | None:
    """moto takes a name it does not know for a missing parameter."""
    name = passage.parameters.get("LaunchTemplateName")
    if name is None or b"<Code>MissingParameter<" not in response.body:
        return None
    return passage.refuse(
        "InvalidLaunchTemplateName.NotFoundException",
        f"The specified launch template, with template name {name}, does not exist.",
    )


def _refuse_id(passage: Passage) -> Response | None:
    """moto answers with the error for names here."""
    identifier = passage.parameters.get("LaunchTemplateId")
    if identifier:
        try:
            passage.scene.cloud.call("ec2", "DescribeLaunchTemplates", LaunchTemplateIds=[identifier])
        except CloudError as error:
            return passage.refuse(error.code, error.message)
    return None


@shim("ec2", "ModifyLaunchTemplate")
def modify_launch_template(passage: Passage) -> Response:
    if refusal := _refuse_id(passage):
        return refusal
    response = passage.forward()
    return _refuse_name(passage, response) or _with_present_tags(passage, response)


@shim("ec2", "DeleteLaunchTemplate")
def delete_launch_template(passage: Passage) -> Response:
    if refusal := _refuse_id(passage):
        return refusal
    response = passage.forward()
    if response.status < 300:
        foundations_changed(passage.scene)
    return _refuse_name(passage, response) or response


@shim("ec2", "CreateLaunchTemplateVersion")
def create_launch_template_version(passage: Passage) -> Response:
    """With a source version, EC2 takes from it what the request does not say; moto does not."""
    parameters = passage.parameters
    source = parameters.get("SourceVersion")
    if source is None:
        return passage.forward()
    which = {name: parameters[name] for name in ("LaunchTemplateId", "LaunchTemplateName") if name in parameters}
    try:
        versions = passage.scene.cloud.call("ec2", "DescribeLaunchTemplateVersions", Versions=[source], **which)
    except CloudError:
        return passage.forward()
    if not versions["LaunchTemplateVersions"]:
        return passage.forward()
    inherited = flat_template_data(versions["LaunchTemplateVersions"][0]["LaunchTemplateData"])
    said = {name.split(".")[1] for name in parameters if name.startswith("LaunchTemplateData.")}
    form = {name: value for name, value in inherited.items() if name.split(".")[1] not in said} | parameters
    return passage.forward_form(form)


def flat_template_data(data: dict[str, Any]) -> dict[str, str]:
    """Template data as members of an EC2 request."""
    model = models.operation_model("ec2", "CreateLaunchTemplateVersion")
    wanted = _only_known(model.input_shape.members["LaunchTemplateData"], data)
    body = create_serializer("ec2", include_validation=False).serialize_to_request({"LaunchTemplateData": wanted}, model)["body"]
    return {name: str(value) for name, value in body.items() if name.startswith("LaunchTemplateData.")}


def _only_known(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        return {name: _only_known(shape.members[name], member) for name, member in value.items() if name in shape.members}
    if shape.type_name == "list":
        return [_only_known(shape.member, member) for member in value]
    return value


def _numbered(passage: Passage, name: str) -> list[str]:
    return [value for member, value in passage.parameters.items() if member.startswith(f"{name}.")]


@shim("ec2", "DescribeLaunchTemplates")
def describe_launch_templates(passage: Passage) -> Response:
    """moto leaves out templates that do not exist; EC2 refuses the whole request."""
    response = passage.forward()
    if response.status >= 300:
        return response
    for template in _numbered(passage, "LaunchTemplateId"):
        if f"<launchTemplateId>{template}<".encode() not in response.body:
            return passage.refuse(
                "InvalidLaunchTemplateId.NotFound",
                f"The specified launch template, with template ID {template}, does not exist.",
            )
    for name in _numbered(passage, "LaunchTemplateName"):
        if f"<launchTemplateName>{name}<".encode() not in response.body:
            return passage.refuse(
                "InvalidLaunchTemplateName.NotFoundException",
                "At least one of the launch templates specified in the request does not exist.",
            )
    return _with_present_tags(passage, response)
