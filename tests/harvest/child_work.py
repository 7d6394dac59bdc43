"""What the tests of `icf.harvest.child` have done in a child."""

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Any

from icf.codes import FetchStatus
from icf.harvest.fault import Fault


def answer(request: dict[str, Any], write: Callable[[bytes], object]) -> dict[str, Any]:
    """Do what the test asks for."""
    doing = request["do"]
    if doing == "hang":
        write(b"first")
        # Native code that holds Python's lock: nothing in this process can stop it.
        ctypes.PyDLL(None).pause()
    elif doing == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif doing == "exit":
        os._exit(3)
    elif doing == "refuse":
        raise Fault(FetchStatus.ENCRYPTED, "it asks for a password")
    elif doing == "raise":
        raise ZeroDivisionError("of a parser")
    elif doing == "eat":
        return {"eaten": len(bytearray(request["bytes"]))}
    elif doing == "print":
        os.write(1, b"native code prints")
        print("Python prints")
    elif doing == "write":
        for size in request["sizes"]:
            write(bytes(size))
    return {"pid": os.getpid(), "text": request.get("text")}
