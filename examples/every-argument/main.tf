# Every argument of the resource once. None but the first four is needed: each shows that it exists and what it
# takes, not what a cluster should have.

terraform {
  required_version = ">= 1.11"

  required_providers {
    eks = {
      source = "terraform-provider-eks/eks"
    }
  }
}

provider "eks" {}

resource "eks_production_cluster" "main" {
  name               = var.name
  kubernetes_version = "1.35"
  subnet_ids         = var.subnet_ids

  node_groups = {
    general = {
      purpose                    = "general"
      min_size                   = 2
      max_size                   = 8
      instance_types             = ["m7i.xlarge", "m6i.xlarge"]
      capacity_type              = "ON_DEMAND"
      ami_type                   = "AL2023_x86_64_STANDARD"
      release_version            = "1.35.4-20261015"
      disk_gib                   = 80
      subnet_ids                 = var.subnet_ids
      max_unavailable_percentage = 25
      node_repair                = true
      labels                     = { team = "platform" }
      taints                     = [{ key = "team", value = "platform", effect = "PREFER_NO_SCHEDULE" }]
    }
  }

  # Network

  region                   = var.region
  tag_subnets              = true
  control_plane_subnet_ids = var.subnet_ids
  security_group_ids       = var.security_group_ids
  kubernetes_network       = { ip_family = "ipv4", service_ipv4_cidr = "172.20.0.0/16" }
  zonal_shift              = true

  endpoint_access = {
    private      = true
    public       = true
    public_cidrs = ["203.0.113.0/24"]
  }

  # Logs and encryption

  logging = {
    types          = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    retention_days = 731
    kms_key_arn    = var.kms_key_arn
    class          = "STANDARD"
    on_destroy     = "delete"
  }

  # Without a key of yours one is made, and `deletion_window_days` is about that one.
  encryption = {
    kms_key_arn          = var.kms_key_arn
    deletion_window_days = 30
  }

  # Access

  access_entries = {
    developers = {
      principal_arn     = var.principal_arns.developers
      type              = "STANDARD"
      preset            = "developer"
      namespaces        = ["orders", "shop"]
      kubernetes_groups = ["orders-developers"]
      policies = [{
        arn        = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSSecretReaderPolicy"
        namespaces = ["orders"]
      }]
    }
  }

  break_glass = {
    principal_arn = var.principal_arns.break_glass
    alarm         = true
  }

  # What runs in the cluster

  addons = {
    coredns = {
      version              = "v1.13.1-eksbuild.1"
      configuration_values = jsonencode({ replicaCount = 3 })
      resolve_conflicts    = "OVERWRITE"
    }
    aws-ebs-csi-driver = { pod_identity_role_arns = { ebs-csi-controller-sa = var.ebs_role_arn } }
    metrics-server     = { enabled = false }
  }

  load_balancer_controller = {
    enabled         = true
    namespace       = "ingress"
    service_account = "load-balancer-controller"
  }

  external_secrets = {
    enabled         = true
    namespace       = "secrets"
    service_account = "external-secrets"
  }

  # Images

  image_repositories = {
    "orders/api" = {
      immutable            = true
      scan_on_push         = true
      kms_key_arn          = var.kms_key_arn
      keep_images          = 50
      expire_untagged_days = 7
      pull_account_ids     = ["111122223333"]
      on_destroy           = "retain"
    }
    "tools/build" = { kms = false }
  }

  image_registry = {
    enhanced_scanning = true
    replication       = [{ region = "eu-west-1", account_id = "111122223333" }]
    pull_through = {
      hub = { upstream = "registry-1.docker.io", credential_arn = var.hub_secret_arn }
    }
  }

  # Observability

  observability = {
    container_insights = true
    log_retention_days = 60
    kms_key_arn        = var.kms_key_arn

    alarms = {
      enabled        = true
      sns_topic_arns = var.topic_arns
      failed_nodes   = { enabled = true, threshold = 1, minutes = 5 }
      node_cpu       = { enabled = true, threshold = 85, minutes = 15 }
      node_memory    = { enabled = true, threshold = 85, minutes = 10 }
      node_disk      = { enabled = true, threshold = 75, minutes = 5 }
      pod_restarts   = { enabled = true, threshold = 30, minutes = 10 }
      api_errors     = { enabled = true, threshold = 40, minutes = 5 }
      api_throttles  = { enabled = true, threshold = 80, minutes = 5 }
    }
  }

  # Its life

  upgrade_policy      = { support_type = "EXTENDED" }
  deletion_protection = false
  on_failed_create    = "error"
  allow_replacement   = false

  waivers = {
    deletion-protection-off = "this example is destroyed again"
    extended-support        = "this example shows the argument"
  }

  tags = {
    team = "platform"
  }

  timeouts {
    create = "60m"
    read   = "5m"
    update = "60m"
    delete = "60m"
  }
}
