"""Recipes that come with the program: configurations in TOML, ``TASK-RECIPE.toml``."""
