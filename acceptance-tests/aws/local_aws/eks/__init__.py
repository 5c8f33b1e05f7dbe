"""The model of Amazon EKS."""
