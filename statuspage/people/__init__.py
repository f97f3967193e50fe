"""People: who they are, and whom a rule reaches.

:mod:`.address` says when two addresses are one, :mod:`.customers` keeps and finds customers,
:mod:`.customer_file` takes them in from a CSV file and writes one, :mod:`.customer_json` does so
for tools, :mod:`.erased` knows those who asked to be forgotten.
"""

from statuspage.people.address import Address, read_address
from statuspage.people.customer_file import ImportReport, export_customers, import_customers
from statuspage.people.customer_json import as_objects, find_customer, put_customers
from statuspage.people.customer_rows import RowError, RowNote
from statuspage.people.customers import (
    CustomerPage,
    CustomerValues,
    remove_customer,
    save_customer,
    search_customers,
)

__all__ = [
    "Address",
    "CustomerPage",
    "CustomerValues",
    "ImportReport",
    "RowError",
    "RowNote",
    "as_objects",
    "export_customers",
    "find_customer",
    "import_customers",
    "put_customers",
    "read_address",
    "remove_customer",
    "save_customer",
    "search_customers",
]
