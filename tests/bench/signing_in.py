"""Whether signing in tells by its time which accounts there are."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from unittest.mock import patch

from statuspage.access import passwords, sign_in_limits, sign_ins
from statuspage.core.config import load_settings
from statuspage.core.db import db, writing
from statuspage.core.errors import Invalid
from statuspage.models import Account
from statuspage.runtime.application import create_app
from tests.bench.delivery import Places
from tests.bench.figures import Figure

OF_EACH = 500


def signing_in(places: Places) -> Iterator[Figure]:
    """Wrong passwords for known and unknown addresses in turn, with no limit on tries."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        environ = {"DATABASE_URL": places.url("sqlite", folder), "DATA_DIR": name}
        app = create_app(load_settings(environ))
        quiet = patch.object(sign_ins.log, "warning")
        with app.app_context(), quiet, patch.object(sign_in_limits, "count_try"):
            hashed = passwords.hash_password(passwords.random_password())
            with writing() as session:
                session.add_all(
                    Account(email=f"known-{number}@example.com", name="Kim", password_hash=hashed)
                    for number in range(OF_EACH)
                )
            passwords.hash_of_nobody()
            took: dict[str, list[float]] = {"known": [], "other": []}
            for number in range(OF_EACH):
                for kind in random.sample(list(took), k=2):
                    took[kind].append(_try(f"{kind}-{number}@example.com"))
            db.engine.dispose()
    known, unknown = median(took["known"]), median(took["other"])
    yield Figure("a wrong password for a known address", 1000 * known, "ms")
    yield Figure("… for an unknown one", 1000 * unknown, "ms")
    yield Figure("… the difference", 100 * abs(known / unknown - 1), "%", at_most=2)


def _try(email: str) -> float:
    begun = time.perf_counter()
    try:
        sign_ins.sign_in(email, "wrong", address="192.0.2.7")
    except Invalid:
        return time.perf_counter() - begun
    raise AssertionError("nobody has this password")
