"""Secrets: the workspace's key, and tokens that are stored as keyed hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from icf.stores.files import read_secret

#: In a workspace's folder, readable by its owner alone.
KEY_FILE = "page.key"


@dataclass(frozen=True)
class SecretKey:
    """The key of a workspace's page.

    Attributes:
        key: 32 random bytes.
    """

    key: bytes

    def hash_of(self, token: str) -> str:
        """The keyed hash under which a token is stored: 64 hex digits."""
        return self._digest("token", token)

    def csrf_token(self, session_token: str) -> str:
        """What every request of a session that changes something must carry."""
        return self._digest("csrf", session_token)

    def pseudonym(self, name: str) -> str:
        """What exports call a person who was never invited."""
        return f"person-{self._digest('pseudonym', name)[:12]}"

    def _digest(self, purpose: str, text: str) -> str:
        message = f"{purpose}:{text}".encode()
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()


def new_token() -> str:
    """A token that cannot be guessed: 256 bits, in letters that a URL can have."""
    return secrets.token_urlsafe(32)


def read_key(root: Path) -> SecretKey:
    """Read the workspace's key; make one at the first time.

    Args:
        root: the workspace's folder.

    Raises:
        BrokenMachine: the file cannot be read or written, or is no key.
    """
    called = "the key of the annotation page"
    remedy = "remove it, and invite everybody again"
    return SecretKey(read_secret(root / KEY_FILE, called, remedy))
