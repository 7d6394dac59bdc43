"""What was released and measured: the last release, scores, tables, models."""
