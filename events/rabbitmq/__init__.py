"""Events over RabbitMQ: a relay publishes the log, consumers handle what they get of it.

Reading order: `topology` and `layout` (what there is at the broker), `connection`, `messages` (an
event as a message), `publishing` (confirms), `relay` (from the log to the exchange), `consuming`
(from queues to their handlers) with `handling`, `inbox` and `failing` (what becomes of a message
that fails), `receiving` (ordered queues, which the durable engine works on), `bridging` (dead
letters to the operators' table, and back), `bus` (all of it behind one object), `doctor`.

What holds at every moment, and what tests/rabbitmq breaks on purpose:

1. The relay's checkpoint passes an event only after the broker has confirmed it. Whatever else
   happens (a refusal, a return, silence, a lost connection), it is published again.
2. The id of a message, its handler's effects in the database, and nothing else, are one commit. So
   an event has its effects once in a subscription's database, however often it is delivered.
3. A message is acknowledged only after that commit, or after the broker has confirmed the copy that
   waits for a retry, or is a dead letter. So none is lost with its consumer.
4. That a redelivered message's handler is about to run is committed before it does. So what kills
   its process is counted, and those that were delivered beside it aren't blamed.

Nothing here is imported unless EVENTS["rabbitmq"] is set, or a command of it is called.
"""

from __future__ import annotations
