"""An audit of labels: a sample fixed beforehand, checked by others, and its bound."""
