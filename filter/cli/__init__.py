"""The commands of `icf-filter`, a module each."""
