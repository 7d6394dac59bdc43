"""The commands of `icf-train` and `icf model`."""
