"""The local AWS: a model of Amazon EKS in front of moto, for acceptance tests and the demo."""
