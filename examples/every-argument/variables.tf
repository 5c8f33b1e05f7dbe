variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in at least two zones."
  type        = set(string)
}

variable "security_group_ids" {
  description = "Security groups of the control plane's network interfaces."
  type        = set(string)
}

variable "kms_key_arn" {
  description = "A key that EKS, CloudWatch Logs and ECR may use."
  type        = string
}

variable "principal_arns" {
  description = "Roles of people."
  type = object({
    developers  = string
    break_glass = string
  })
}

variable "ebs_role_arn" {
  description = "A role for the EBS CSI driver, which trusts pods.eks.amazonaws.com."
  type        = string
}

variable "hub_secret_arn" {
  description = "A secret with credentials for Docker Hub, whose name begins with ecr-pullthroughcache/."
  type        = string
}

variable "topic_arns" {
  description = "Topics of SNS that hear alarms."
  type        = set(string)
}
