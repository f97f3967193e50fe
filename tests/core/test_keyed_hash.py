from __future__ import annotations

from flask import Flask

from statuspage.core.config import current_settings
from statuspage.core.keyed_hash import hash_under, keyed_hash


def test_the_hash_is_the_same_for_the_same_text_under_the_same_key_alone(app: Flask) -> None:
    with app.app_context():
        key = current_settings().secret_key.encode()
        assert keyed_hash("dana@example.com") == hash_under(key, "dana@example.com")
        assert keyed_hash("dana@example.com") != keyed_hash("kim@example.com")
        assert hash_under(b"another", "dana@example.com") != keyed_hash("dana@example.com")
