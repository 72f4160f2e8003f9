"""Decision -> Promotion."""
