"""Build cartoon-face datasets with people's yes and no."""

__version__ = "0.1.0"
