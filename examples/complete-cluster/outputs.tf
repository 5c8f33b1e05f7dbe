output "endpoint" {
  description = "URL of the Kubernetes API."
  value       = eks_production_cluster.main.endpoint
}

output "addon_versions" {
  description = "Version of each add-on."
  value       = eks_production_cluster.main.addon_versions
}

output "repository_urls" {
  description = "Where images are pushed to and pulled from."
  value       = eks_production_cluster.main.repository_urls
}

output "parts" {
  description = "Everything the cluster consists of."
  value       = { for key, part in eks_production_cluster.main.parts : key => part.state }
}
