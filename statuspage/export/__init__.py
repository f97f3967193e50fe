"""The public site as files, kept in a folder or an S3 bucket that others serve."""

from statuspage.export.copying import Copy, Report, export_site
from statuspage.export.files import File, Target, Unusable
from statuspage.export.keeping import ALARM, Keeper
from statuspage.export.targets import open_target

__all__ = [
    "ALARM",
    "Copy",
    "File",
    "Keeper",
    "Report",
    "Target",
    "Unusable",
    "export_site",
    "open_target",
]
