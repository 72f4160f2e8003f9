"""Training and champion -> Evaluation."""
