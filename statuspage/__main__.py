"""``python -m statuspage COMMAND``: the same commands as ``flask --app app``, started faster.

Flask's own command imports every plug-in that is installed before it runs anything.
"""

from __future__ import annotations

from statuspage.runtime.application import create_app
from statuspage.runtime.backup import keep_files_private


def main() -> None:
    """Run one command on the app of the environment."""
    keep_files_private()
    app = create_app()
    with app.app_context():
        app.cli.main(prog_name="statuspage")


if __name__ == "__main__":
    main()
