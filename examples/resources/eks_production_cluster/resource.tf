resource "eks_production_cluster" "main" {
  name               = "prod-platform"
  kubernetes_version = "1.35"
  subnet_ids         = ["subnet-0a1b2c3d4e5f60718", "subnet-1a1b2c3d4e5f60718", "subnet-2a1b2c3d4e5f60718"]
  node_groups        = { general = {} }
}
