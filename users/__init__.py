"""Who may use the shop: the smallest complete example of an event-sourced domain."""
