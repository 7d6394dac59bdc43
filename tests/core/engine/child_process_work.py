"""What the tests of `icf.engine.child_process` have done in a child."""

import os
import signal
import socket
import time

from icf.engine.child_process import HEADER, Channel


def main(channel: Channel, word: str = "") -> None:
    """Do what each message asks for, or first of all what ``word`` says."""
    if word:
        print(f"cannot {word}", flush=True)
        raise SystemExit(f"{word} is not possible")
    for kind, body in channel:
        if kind == b"e":
            channel.send(b"E", body)
        elif kind == b"v":
            channel.send(b"V", os.environ[body.decode()].encode())
        elif kind == b"p":
            os.write(2, body)
            channel.send(b"P", b"")
        elif kind == b"d":  # begins a message and sends a byte of it from time to time
            channel.socket.sendall(HEADER.pack(b"D", 1000))
            while True:
                channel.socket.sendall(b".")
                time.sleep(0.05)
        elif kind == b"l":
            channel.socket.sendall(HEADER.pack(b"L", 1 << 31))
            signal.pause()
        elif kind == b"c":
            channel.socket.shutdown(socket.SHUT_RDWR)
            signal.pause()
        else:
            signal.pause()
