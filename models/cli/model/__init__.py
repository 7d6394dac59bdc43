"""The commands of `icf model`, a module each."""
