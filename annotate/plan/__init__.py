"""What it takes, before anybody starts: questions, hours, and the error to expect."""
