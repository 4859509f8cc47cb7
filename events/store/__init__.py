"""Where events are kept: one contract (`base`), three stores (`memory`, `orm`, `postgresql`)."""
