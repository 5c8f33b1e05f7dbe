"""A VPC with three private subnets and a way out through a VPN, made over the wire like a user's own."""

from __future__ import annotations

from typing import Any

from local_aws.account import Account
from local_aws.cloud import Cloud
from local_aws.eks.surroundings import REFUSED_ZONE_IDS, tag_list
from local_aws.gateway import Gateway


def ensure_vpc(gateway: Gateway, account: Account, region: str) -> dict[str, Any]:
    with account.lock:
        made = account.world.vpcs
        if region not in made:
            account.world.used.add(("ec2", region))
            made[region] = _make(gateway, account, region)
        return made[region]


def _make(gateway: Gateway, account: Account, region: str) -> dict[str, Any]:
    cloud = gateway.cloud(account, region)
    vpc = cloud.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        cloud.call("ec2", "ModifyVpcAttribute", VpcId=vpc, **{attribute: {"Value": True}})
    offered = cloud.call("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
    zones = [zone["ZoneName"] for zone in offered if zone["ZoneId"] not in REFUSED_ZONE_IDS][:3]
    subnets = []
    for number, zone in enumerate(zones):
        subnet = cloud.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=f"10.0.{number * 32}.0/19", AvailabilityZone=zone)[
            "Subnet"
        ]["SubnetId"]
        tags = {"Name": f"private-{zone}", "kubernetes.io/role/internal-elb": "1"}
        cloud.call("ec2", "CreateTags", Resources=[subnet], Tags=tag_list(tags))
        subnets.append(subnet)
    _route_out(cloud, vpc)
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    group = cloud.call("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"][0]["GroupId"]
    return {"vpc_id": vpc, "subnet_ids": subnets, "security_group_id": group}


def _route_out(cloud: Cloud, vpc: str) -> None:
    """The main table, which all subnets follow, leads out. A NAT gateway would bring an interface of its own."""
    gateway = cloud.call("ec2", "CreateVpnGateway", Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    cloud.call("ec2", "AttachVpnGateway", VpnGatewayId=gateway, VpcId=vpc)
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    main = cloud.call("ec2", "DescribeRouteTables", Filters=filters)["RouteTables"][0]["RouteTableId"]
    cloud.call("ec2", "CreateRoute", RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
