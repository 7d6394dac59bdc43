"""`icf-build-splits`, `icf-evaluate` and `icf-report`, one module each."""
