"""What the process of `test_child` answers with, by the name of what is asked."""

import ctypes
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from icf.codes import Fate
from icf.harvest.fault import Fault


def answer(request: Mapping[str, Any], write: Callable[[bytes], object]) -> Any:
    what = request["what"]
    if what == "echo":
        write(request["text"].encode())
        return {"pid": os.getpid(), "length": len(request["text"])}
    if what == "print":
        os.write(1, b"noise of native code")
        print("and of Python", flush=True)
        return "quiet"
    if what == "hang":
        write(b"first")
        # Never returns, never lets go of Python's lock.
        re.match(r"(a+)+$", "a" * 64 + "b")
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "leave":
        os._exit(3)
    if what == "eat":
        return len(bytearray(request["bytes"]))
    if what == "encrypted":
        raise Fault(Fate.ENCRYPTED, "it asks for a password")
    if what == "break":
        raise ValueError("broken \udc80")
    if what == "native":
        ctypes.string_at(0)
    return sys.argv
