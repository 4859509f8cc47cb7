"""Projects that stand beside the shop, and share nothing with it but a broker."""
