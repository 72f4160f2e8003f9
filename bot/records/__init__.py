"""The nouns: frozen, JSON in and out, a schema number each."""
