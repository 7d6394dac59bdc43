"""Draw the pictures of the second demo site: look-alikes, in many versions."""
