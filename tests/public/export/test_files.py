"""Which files a document is, and what answers for which address."""

from __future__ import annotations

import pytest

from statuspage.public.document import Document
from statuspage.public.export.files import Bundle, File, bundle, key_of, keys_of
from tests.factories import NOON


@pytest.mark.parametrize(
    ("path", "in_folder", "in_bucket"),
    [
        ("/", "index.html", "index.html"),
        ("/de/", "de/index.html", "de/index.html"),
        ("/history", "history/index.html", "history"),
        ("/history/2026-03", "history/2026-03/index.html", "history/2026-03"),
        ("/updates.atom", "updates.atom", "updates.atom"),
        ("/v1.2/history", "v1.2/history/index.html", "v1.2/history"),
    ],
)
def test_a_page_is_an_index_where_there_are_folders(
    path: str, in_folder: str, in_bucket: str
) -> None:
    found = tuple(key_of(path, has_folders=has_folders) for has_folders in (True, False))
    assert found == (in_folder, in_bucket)


def test_an_address_may_have_compressed_forms_beside_its_file() -> None:
    assert keys_of("/history", has_folders=True) == (
        "history/index.html", "history/index.html.gz", "history/index.html.br",
    )  # fmt: skip


def test_a_documents_forms_come_before_its_plain_file_and_what_it_lacks_is_named() -> None:
    document = Document(b"plain", "text/css", NOON, gzip=b"zipped", cache_control="max-age=9")
    found = bundle("/page.css", document, has_folders=False)
    assert found == Bundle(
        files=(
            File("page.css.gz", b"zipped", "text/css", "max-age=9", NOON, "gzip"),
            File("page.css", b"plain", "text/css", "max-age=9", NOON),
        ),
        absent=("page.css.br",),
    )
