"""The demo's second site, hard to tell apart, and the rounds that are played on it."""
