"""The memory of the Scrapy process is its own, however large the one that starts it."""

import subprocess
import sys

from icf.harvest.sources.web_rules.safe_settings import MEMORY_MIB

ASK = """
from scrapy.utils.test import get_crawler
from icf.harvest.sources.web_rules.own_memory import OwnMemoryUsage
crawler = get_crawler(settings_dict={"MEMUSAGE_ENABLED": True})
print(OwnMemoryUsage(crawler).get_virtual_size())
"""

#: Holds 400 MiB while it starts another process, and says what that one measures.
LARGE = f"""
import subprocess, sys
held = bytearray(b"x") * (400 << 20)
subprocess.run([sys.executable, "-c", {ASK!r}], check=True)
assert held
"""


def test_what_the_starting_process_holds_is_not_counted() -> None:
    said = subprocess.run(
        [sys.executable, "-c", LARGE], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    assert 10 << 20 < int(said) < MEMORY_MIB << 20
