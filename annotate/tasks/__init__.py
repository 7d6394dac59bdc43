"""What is put before people: kinds of tasks, leases, answers on the disk."""
