"""What the pages of the admin show: lists (`stuck`, `filters`, `search`), one saga (`details`)."""
