"""GitHub's GraphQL API over what the sandbox remembers: its published schema, its limits, its errors."""
