"""The application that servers and the ``flask`` command load."""

from statuspage.public import on_demand_views
from statuspage.runtime.application import create_app, keep_files_private

keep_files_private()
app = create_app()
on_demand_views.install(app)
