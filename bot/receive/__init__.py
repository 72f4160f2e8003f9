"""GitHub event payload -> Event."""
