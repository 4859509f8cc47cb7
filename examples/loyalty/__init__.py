"""A second service: it hears of the shop's orders over RabbitMQ, and keeps a read model of its own.

It has its own database and its own settings, and none of the shop's code: events arrive raw.

    export RABBITMQ_URL=amqp://guest:guest@localhost//
    python -m django migrate --settings examples.loyalty.settings
    python -m django consume_rabbitmq --settings examples.loyalty.settings
    python -m django loyalty_report --settings examples.loyalty.settings
"""
