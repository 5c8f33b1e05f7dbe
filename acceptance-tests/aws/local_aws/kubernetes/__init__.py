"""Real Kubernetes API servers that stand for clusters: who gets in, what they may do, which pods get an identity."""
