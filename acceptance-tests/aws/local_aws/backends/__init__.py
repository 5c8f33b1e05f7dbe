"""What serves every service but EKS."""
