"""How stored events reach their handlers: in this process, durably, or through RabbitMQ."""
