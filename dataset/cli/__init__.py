"""`icf-build-splits`, `icf-evaluate` and `icf-report`, a module or folder each."""
