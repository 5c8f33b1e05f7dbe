import {
  to = eks_production_cluster.main
  id = "prod-platform"
}
