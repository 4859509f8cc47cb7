"""What the shop answers over HTTP. Commands have their endpoints already, in `events.api`."""
