# Everything in the region that carries an owner mark, as AWS's index of tags knows it: minutes late, and without
# IAM roles, which it does not have.
aws resourcegroupstaggingapi get-resources --region eu-central-1 \
  --tag-filters Key=terraform-provider-eks/owner,Values=eks_production_cluster/eu-central-1/prod \
  --query 'ResourceTagMappingList[].ResourceARN' --output text

# The roles, by path and name.
aws iam list-roles --path-prefix /eks/ --query 'Roles[?starts_with(RoleName, `prod-`)].Arn' --output text
