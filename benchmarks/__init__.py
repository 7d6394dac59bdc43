"""One script per performance goal; each prints a ratio measured in one run."""

import os

# As the programs do it (`icf.command.run`), before NumPy is imported.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
