"""What an admin configures: page, components, contacts, severity, templates and branding.

Each thing that people edit has a frozen dataclass with the fields that they edit, so that a form
can say which values it showed: :func:`~statuspage.core.conflict.fingerprint` of them comes
back with the form, and a change that somebody else made meanwhile raises
:class:`~statuspage.core.conflict.Conflict` instead of being lost.
"""
