"""Durable subscriptions: from the log to their handlers, in order, whatever crashes.

Reading order: `worker` (which lanes have something to do), `engine` (what happens to the events of
one lane), `lanes` and `claims` (who may), `calling` (how a handler is called), `failures` (what
becomes of an event that can't be handled), `dead_letters` and `operations` (what an operator can do
about it). `draining` is the worker for tests and shells; `wake_ups` and `djangoq` start one where
none is awake.

What holds at every moment, and what tests/delivery breaks on purpose:

1. Effects in the database, the checkpoint and the counters are one commit, which succeeds only for
   the holder of the lane's lease. So an event has its effects once, however many workers try.
2. A checkpoint never passes an event that was neither handled, filtered out, nor recorded as
   failed in the same commit; nor the high-water mark. So nothing is skipped.
3. Events of a stream are handled in its order: one lane has them, and once one has failed, later
   ones wait until it is handled or discarded.
4. That a handler is about to run is committed before it does. So what kills its process is counted
   as an attempt, too, and becomes a dead letter in the end.
"""

from __future__ import annotations
