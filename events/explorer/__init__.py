"""The pages of the admin: lists (`keyset`, `paging`), `search`, what one row shows (`details`)."""
