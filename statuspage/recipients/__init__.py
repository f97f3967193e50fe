"""Who can be written to: customers, subscribers, and the pseudonyms of erased addresses.

``customer_csv`` and ``customer_json`` take customers in and give them out; ``customers`` keeps and
finds them; ``pseudonyms`` knows the addresses whose owners asked to be erased.
"""
