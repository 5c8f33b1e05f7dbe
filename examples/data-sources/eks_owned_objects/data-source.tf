# What is there of one cluster, also after it was destroyed or deleted by hand.
data "eks_owned_objects" "prod" {
  name = "prod"
}

# What is there of all clusters of the region.
data "eks_owned_objects" "all" {}

output "owners" {
  value = distinct(data.eks_owned_objects.all.objects[*].owner)
}

check "nothing_is_left_of_the_old_cluster" {
  data "eks_owned_objects" "old" {
    name = "old"
  }

  assert {
    condition     = length(data.eks_owned_objects.old.objects) == 0
    error_message = "Left in AWS: ${join(", ", data.eks_owned_objects.old.objects[*].id)}"
  }
}
