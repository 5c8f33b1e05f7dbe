"""SSM: the public parameters that name EKS node images."""

from __future__ import annotations

import re

from local_aws.eks.versions import CALENDAR, releases
from local_aws.shims.passage import Passage, json_answer, shim
from local_aws.wire.message import Response

_AL2023 = re.compile(
    r"^/aws/service/eks/optimized-ami/(?P<version>[\d.]+)/amazon-linux-2023/(?P<arch>x86_64|arm64)/"
    r"(?P<variant>standard|nvidia|neuron)/recommended/(?P<member>release_version|image_id|image_name)$"
)


def _value(name: str) -> str | None:
    found = _AL2023.match(name)
    if found is None or found["version"] not in CALENDAR:
        return None
    release = releases(found["version"], "AL2023")[0]
    return {
        "release_version": release,
        "image_id": "ami-" + release.replace(".", "").replace("-", "").rjust(17, "0"),
        "image_name": f"amazon-eks-node-al2023-{found['arch']}-{found['variant']}-{found['version']}",
    }[found["member"]]


@shim("ssm", "GetParameter")
def get_parameter(passage: Passage) -> Response:
    name = passage.parameters.get("Name", "")
    value = _value(name)
    if value is None:
        return passage.forward()
    arn = f"arn:{passage.scene.partition}:ssm:{passage.scene.region}::parameter{name}"
    return json_answer(
        {"Parameter": {"Name": name, "Type": "String", "Value": value, "Version": 1, "ARN": arn, "DataType": "text"}}
    )
