"""The key that a workspace signs its lists of takedowns with (Ed25519, RFC 8032).

It is made when the first list is. Releases that are written from then on have its
public half, so that whoever has a copy knows whose lists to trust.
"""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from icf.errors import BadInput
from icf.stores.files import read_secret

#: In a workspace; whoever has it can sign in its name.
SECRET = "takedowns.key"

_HEX = re.compile("[0-9a-f]{64}")


def signing_key(root: Path) -> Ed25519PrivateKey:
    """Read the key of a workspace; make one at the first time.

    Raises:
        BrokenMachine: the file cannot be read or written, or is no key.
    """
    remedy = (
        "restore it, or remove it and tell those who have copies the new public key"
    )
    seed = read_secret(root / SECRET, "the key that signs takedowns", remedy)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(root: Path) -> str | None:
    """Return the public half of a workspace's key, in hexadecimal; None without one."""
    return public_half(signing_key(root)) if (root / SECRET).exists() else None


def public_half(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key: 64 hexadecimal digits."""
    return key.public_key().public_bytes_raw().hex()


def read_public(text: str) -> str:
    """Return a public key from its digits, or from a file that has them.

    Raises:
        BadInput: it is neither.
    """
    found = text.strip()
    if not _HEX.fullmatch(found):
        try:
            found = Path(text).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{text!r} is no public key: give its 64 hexadecimal digits, or a file "
                "that has them"
            ) from error
    if not _HEX.fullmatch(found):
        raise BadInput(f"{text} has no public key: expected 64 hexadecimal digits")
    return found


def is_signed(message: bytes, signature: str, key: str) -> bool:
    """Return whether a message was signed with the other half of a public key."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
