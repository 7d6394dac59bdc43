"""What the Hugging Face Hub does not take, or takes badly.

The limits are those of its page on repositories: fewer than 100,000 files in all and
10,000 in a folder, and files below 50 GB.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from icf.dataset.formats.checked import Fault

MOST_FILES, MOST_IN_FOLDER, LARGEST = 100_000, 10_000, 50 * 10**9
#: Of a name, in bytes; what every file system takes.
_LONGEST = 255
#: Characters that a checkout on Windows cannot have.
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"\\|?*]|[ .]$')

#: What to do about too many files.
REMEDY = "write it as shards: --format webdataset, or --format parquet"


def check_hub(folder: Path, files: Sequence[str]) -> Iterator[Fault]:
    """Yield each limit that a release exceeds.

    Args:
        folder: the release.
        files: the name of each file, relative to it.
    """
    if len(files) >= MOST_FILES:
        what = f"has {len(files):,} files; the Hub takes fewer than {MOST_FILES:,}"
        yield Fault(".", f"{what}: {REMEDY}")
    sizes = Counter(PurePosixPath(file).parent.as_posix() for file in files)
    for place, count in sorted(sizes.items()):
        if count >= MOST_IN_FOLDER:
            what = f"has {count:,} files; the Hub takes fewer than {MOST_IN_FOLDER:,}"
            yield Fault(place, f"{what} in a folder: {REMEDY}")
    for file in sorted(files):
        size = (folder / file).stat().st_size
        if size >= LARGEST:
            yield Fault(file, f"has {size:,} bytes; the Hub takes files below 50 GB")
        for part in PurePosixPath(file).parts:
            if _UNFIT.search(part):
                yield Fault(file, "has a name that not every machine can have")
            elif len(part.encode()) > _LONGEST:
                yield Fault(file, f"has a name of more than {_LONGEST} bytes")
