"""The application that servers and the ``flask`` command load."""

from statuspage import create_app
from statuspage.operations import keep_files_private
from statuspage.web import public

keep_files_private()
app = create_app()
public.install(app)
