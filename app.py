"""The application that servers and the ``flask`` command load."""

from statuspage import create_app
from statuspage.web import public

app = create_app()
public.install(app)
