"""Plan entry and data -> Training."""
