"""Dataset: confirmed faces to releases, their leak report, scores, and the report."""
