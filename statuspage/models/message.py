"""Messages: the wording of templates, and the texts that were composed for each audience."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from statuspage.core import clock
from statuspage.core.db import Base
from statuspage.core.enums import Audience, Step
from statuspage.core.languages import nearest
from statuspage.models.columns import Facts, Key, Prose
from statuspage.models.incident import Incident, IncidentUpdate


class Wording(Base):
    """A version of one template's wording; the newest counts, a restored one means the shipped."""

    __tablename__ = "wordings"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(100), index=True)
    language: Mapped[str] = mapped_column(String(16), default="en", server_default="en")
    subject: Mapped[Prose]
    body: Mapped[Prose]
    restored: Mapped[bool] = mapped_column(default=False)
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class Message(Base):
    """Composed text for one audience about one step, and its mail in the page's language.

    ``text`` and ``html`` hold tokens such as ``[[name]]`` that each delivery fills in.
    """

    __tablename__ = "messages"
    # Finds the messages of a kind without reading their texts.
    __table_args__ = (Index("ix_messages_audience_step", "audience", "step", "id"),)

    id: Mapped[Key]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"), index=True)
    update_id: Mapped[int | None] = mapped_column(ForeignKey("incident_updates.id"), index=True)
    step: Mapped[Step]
    audience: Mapped[Audience]
    language: Mapped[str] = mapped_column(String(16), default="en")
    subject: Mapped[Prose]
    body: Mapped[Prose]
    text: Mapped[Prose]
    html: Mapped[Prose]
    edited: Mapped[bool] = mapped_column(default=False)
    # Times that tokens name, ISO 8601 in UTC: each recipient reads them in their own zone.
    moments: Mapped[Facts] = mapped_column(default=dict)
    # The same in other languages, by language: {"de": {"subject": …, "text": …, "html": …}}.
    versions: Mapped[Facts] = mapped_column(default=dict, deferred=True)
    # Why it went out although it was held back: {"reason": "...", "findings": [...]}.
    override: Mapped[Facts] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    # A message is put right at most once.  The one that replaces it goes to whoever still waited,
    # the one that corrects it to whoever was sent it.
    replaces_id: Mapped[int | None] = mapped_column(unique=True, index=True)
    corrects_id: Mapped[int | None] = mapped_column(unique=True, index=True)
    # When somebody kept back what of it had not gone yet; None again once it goes after all.
    cancelled_at: Mapped[datetime | None]
    # When the addresses of its deliveries were forgotten, all of them.
    forgotten_at: Mapped[datetime | None]

    incident: Mapped[Incident | None] = relationship()
    update: Mapped[IncidentUpdate | None] = relationship()

    def read_in(self, wanted: str) -> tuple[str, str, str, str]:
        """The language, subject, text and HTML of its mail to somebody who reads ``wanted``.

        Where there is none in that language, all of it is in the page's.
        """
        language = nearest(wanted, default=self.language)
        version = self.versions.get(language) if language != self.language else None
        if version is None:
            return self.language, self.subject, self.text, self.html
        return language, version.get("subject", self.subject), version["text"], version["html"]

    @property
    def title(self) -> str:
        """What it is and for whom, in the words of the admin."""
        if self.audience is Audience.INTERNAL:
            return "Internal message"
        if self.audience is Audience.PUBLIC:
            return "Public post"
        if self.corrects_id is not None:
            return f"Correction to {self.audience.value}s"
        return f"{self.audience.value.capitalize()} email"
