"""Draws the demo site: run by a developer, never by a user."""
