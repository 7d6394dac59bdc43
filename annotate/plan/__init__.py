"""What the questions that are left will take, and leave wrong."""
