# By name in the provider's region, or with another region behind it.
terraform import eks_production_cluster.main prod-platform
terraform import eks_production_cluster.main prod-platform@eu-west-1
