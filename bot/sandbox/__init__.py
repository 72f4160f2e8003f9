"""A local GitHub for rehearsals."""
