"""Column types that several tables share."""

from __future__ import annotations

import re
import secrets
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, Enum, Integer, String, Text
from sqlalchemy.orm import mapped_column

from statuspage.core.db import Base
from statuspage.core.enums import (
    AccountRole,
    ActionPriority,
    ActionState,
    Audience,
    Channel,
    ComponentStatus,
    CustomerMail,
    DeliveryState,
    Impact,
    Kind,
    NoteKind,
    ReviewState,
    Step,
    SubscribedUpdates,
    SubscriberState,
    SuggestionState,
    Visibility,
)

CODE_LENGTH = 12
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"

TITLE_LIMIT = 200
LINE_LIMIT = 500
BODY_LIMIT = 10_000


def new_code() -> str:
    """A public code: 12 of a–z0–9, as Statuspage's ids are."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def code_of(digest: bytes) -> str:
    """A public code that follows from at least 16 bytes, as evenly spread as they are."""
    number, letters = int.from_bytes(digest), []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


CODE = re.compile(rf"[a-z0-9]{{{CODE_LENGTH}}}")
"""What every public code matches in full."""


def hash_token(token: str) -> str:
    """A token as it is kept, so that what the database holds opens nothing: SHA-256, in hex."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


Key = Annotated[int, mapped_column(primary_key=True)]
# SQLite counts rows by itself only for a column that is exactly INTEGER.
BigKey = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
]
Code = Annotated[str, mapped_column(String(CODE_LENGTH), unique=True, default=new_code)]
Name = Annotated[str, mapped_column(String(TITLE_LIMIT))]
Line = Annotated[str, mapped_column(String(LINE_LIMIT), default="")]
Prose = Annotated[str, mapped_column(Text, default="")]
# Addresses are compared by their bytes; PostgreSQL's own way, by language, is several times slower.
Address = Annotated[
    str,
    mapped_column(String(320).with_variant(String(320, collation="C"), "postgresql")),
]
Facts = dict[str, Any]


def _stored(words: type[StrEnum]) -> Enum:
    """An enum kept as its value in a plain text column, so that adding a word needs no DDL."""
    return Enum(
        words,
        native_enum=False,
        length=32,
        create_constraint=False,
        values_callable=lambda members: [str(member.value) for member in members],
    )


Base.registry.update_type_annotation_map(
    {
        **{
            words: _stored(words)
            for words in (
                AccountRole, ActionPriority, ActionState, Audience, Channel, ComponentStatus,
                CustomerMail, DeliveryState,
                Impact, Kind, NoteKind, ReviewState, Step, SubscribedUpdates, SubscriberState,
                SuggestionState, Visibility,
            )
        },
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }
)  # fmt: skip
