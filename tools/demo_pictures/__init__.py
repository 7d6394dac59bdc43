"""Draws the demo site; needed only to change its pictures."""
