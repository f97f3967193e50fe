"""What is made with SECRET_KEY: the keyed hash of what is forgotten, the cipher of what is kept.

The hash is HMAC-SHA-256 (RFC 2104).  Its key is made of SECRET_KEY: whoever has not that key cannot
get the text out of the hash, nor try a list of texts against it.  A new SECRET_KEY matches no older
hash, and opens nothing that was encrypted.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import Final

from cryptography.fernet import Fernet

from statuspage.core.config import current_settings

PREFIX: Final = "erased:"


def keyed_hash(text: str) -> str:
    """What stands for a text: the same for the same text, always."""
    return hash_under(current_settings().secret_key.encode(), text)


def hash_under(key: bytes, text: str) -> str:
    """The same under a key that was read before: for many at once."""
    message = b"erased address\0" + text.encode("utf-8", "surrogatepass")
    return PREFIX + hmac.digest(key, message, "sha256").hex()


def cipher(purpose: str) -> Fernet:
    """What encrypts the secrets of one purpose; with another SECRET_KEY nothing opens them."""
    key = sha256(f"{purpose} {current_settings().secret_key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
