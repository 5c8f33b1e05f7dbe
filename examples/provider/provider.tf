terraform {
  required_providers {
    eks = {
      source = "terraform-provider-eks/eks"
    }
  }
}

provider "eks" {
  region              = "eu-central-1"
  allowed_account_ids = ["111122223333"]

  default_tags {
    tags = {
      environment = "production"
    }
  }
}
