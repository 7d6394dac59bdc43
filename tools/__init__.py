"""Programs that draw the pictures of the demo and of the training; not in the wheel."""
