"""The process that an order goes through, in two styles. `ORDERS["saga_style"]` chooses one."""
