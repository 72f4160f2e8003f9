"""Logged predictions -> Health."""
