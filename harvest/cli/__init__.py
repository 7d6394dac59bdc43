"""The commands of `icf-harvest`, a module each."""
