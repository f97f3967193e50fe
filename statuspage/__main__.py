"""``statuspage COMMAND`` of an installed package, and ``python -m statuspage COMMAND`` anywhere.

They are the same commands as ``flask --app app``, started faster: Flask's own command imports every
plug-in that is installed before it runs anything.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from statuspage import __version__
from statuspage.core.paths import IS_INSTALLED
from statuspage.runtime.application import create_app, keep_files_private


def main() -> None:
    """Run one command on the app of the environment."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"statuspage {__version__}\n")
        return
    if IS_INSTALLED and not os.environ.get("DATA_DIR", "").strip():
        os.environ["DATA_DIR"] = str(_data_folder())
    keep_files_private()
    app = create_app()
    with app.app_context():
        app.cli.main(prog_name="statuspage")


def _data_folder() -> Path:
    """Where an installed package keeps its data: https://specifications.freedesktop.org/basedir/."""
    home = os.environ.get("XDG_DATA_HOME", "")
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "share"
    return base / "statuspage"


if __name__ == "__main__":
    main()
