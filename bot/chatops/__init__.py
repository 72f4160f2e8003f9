"""Comment body -> Command."""
