"""Compare a model with the one in use, on what was set aside; refuse a worse one."""
