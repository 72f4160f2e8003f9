"""What people write, read with file, line and column."""
