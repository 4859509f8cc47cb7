"""The shop: orders, stock, payments and shipments, each with its own rules and its own streams.

Reading order: `commands` and `events` (what may be asked, what can happen), `aggregates` (the
rules), `handlers` (how a command reaches them), `gateways` (the foreign systems for money and
parcels).
"""
