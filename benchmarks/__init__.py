"""One script per performance goal; each prints a ratio measured in one run."""
