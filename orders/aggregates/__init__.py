"""The rules of the shop. No database, no Django."""
