"""mlbot: a GitOps bot for machine-learning models."""
