variable "name" {
  description = "Name of the cluster."
  type        = string
  default     = "prod-platform"
}

variable "region" {
  description = "Region of the cluster."
  type        = string
  default     = "eu-central-1"
}

variable "subnet_ids" {
  description = "Private subnets in at least two zones."
  type        = set(string)
}

variable "administrators" {
  description = "Roles or users that may do everything in the cluster: name and ARN."
  type        = map(string)
  default     = {}
}

variable "build_nodes" {
  description = "Most nodes of the group for builds."
  type        = number
  default     = 4
}

variable "alarm_topics" {
  description = "ARNs of SNS topics that hear alarms."
  type        = set(string)
  default     = []
}

variable "deletion_protection" {
  description = "Refuse to destroy the cluster."
  type        = bool
  default     = null
}

variable "waivers" {
  description = "Production rules that are knowingly broken: id of the rule and reason."
  type        = map(string)
  default     = null
}

variable "pull_account_ids" {
  description = "Accounts that may pull the tools."
  type        = set(string)
  default     = null
}

variable "replica_region" {
  description = "Region that gets copies of the images."
  type        = string
  default     = "eu-west-1"
}
