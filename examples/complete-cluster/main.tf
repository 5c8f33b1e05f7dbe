# A production cluster with two groups of nodes, in subnets that exist.

terraform {
  required_version = ">= 1.11"

  required_providers {
    eks = {
      source = "terraform-provider-eks/eks"
    }
  }
}

provider "eks" {
  region = var.region

  default_tags {
    tags = {
      environment = "production"
      team        = "platform"
    }
  }
}

resource "eks_production_cluster" "main" {
  name               = var.name
  kubernetes_version = "1.35"
  subnet_ids         = var.subnet_ids

  logging = {
    retention_days = 400
  }

  observability = {
    alarms = {
      sns_topic_arns = var.alarm_topics
      node_cpu       = { threshold = 80, minutes = 30 }
    }
  }

  node_groups = {
    general = {}

    build = {
      purpose        = "spot"
      min_size       = 1
      max_size       = var.build_nodes
      instance_types = ["m7i.xlarge", "m6i.xlarge", "r7i.xlarge"]
      disk_gib       = 100

      labels = {
        workload = "build"
      }
      taints = [
        { key = "workload", value = "build", effect = "NO_SCHEDULE" },
      ]
    }
  }

  access_entries = {
    for name, arn in var.administrators : name => { principal_arn = arn, preset = "admin" }
  }

  addons = {
    coredns             = { configuration_values = jsonencode({ replicaCount = 3 }) }
    snapshot-controller = {}
  }

  tag_subnets              = true
  load_balancer_controller = { enabled = true }
  external_secrets         = { enabled = true }

  image_repositories = {
    "orders/api" = {}

    "tools/build" = {
      immutable            = false
      keep_images          = 20
      expire_untagged_days = 3
      pull_account_ids     = var.pull_account_ids
    }
  }

  image_registry = {
    enhanced_scanning = true
    replication       = [{ region = var.replica_region }]
    pull_through = {
      ecr-public = { upstream = "public.ecr.aws" }
    }
  }

  deletion_protection = var.deletion_protection
  waivers             = var.waivers

  timeouts {
    create = "45m"
  }

  lifecycle {
    postcondition {
      condition     = self.status == "ready"
      error_message = "The cluster is not finished; run terraform apply again."
    }
  }
}
