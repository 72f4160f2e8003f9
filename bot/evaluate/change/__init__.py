"""What changed in the data between two versions, as sections of the report."""
