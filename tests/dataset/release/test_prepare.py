from __future__ import annotations

import subprocess
import sys

#: What takes tens of MiB, or seconds, to load.
HEAVY = ("datasets", "faiss", "numba", "onnxruntime", "pandas", "torch")


def test_a_release_is_prepared_and_written_without_the_large_libraries() -> None:
    code = (
        "import sys, icf.dataset.release.prepare, icf.dataset.release.write; "
        f"print(sorted(set({HEAVY!r}) & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
