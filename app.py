"""The application that servers and the ``flask`` command load."""

from statuspage.public import routes
from statuspage.runtime.application import create_app
from statuspage.runtime.backup import keep_files_private

keep_files_private()
app = create_app()
routes.install(app)
