"""Environments branch -> an endpoint."""
