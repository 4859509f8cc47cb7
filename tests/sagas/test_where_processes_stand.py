"""Where each step of a choreographed process stands, and the picture of it."""

from __future__ import annotations

from sagas.explorer.diagram import of_process
from sagas.process import Process
from sagas.progress import Standing, process_views

from .outing import variant


def test_a_process_is_drawn_from_the_events_that_were_seen(choreographed):
    process: Process = variant().process
    first = next(iter(process.steps))
    begun = {cls.event_type: 1 for cls in first.events}
    done = begun | {cls.event_type: 2 for cls in process.successes(first)}
    for seen, standing in [
        ({}, Standing.TO_COME),
        (begun, Standing.DOING),
        (done, Standing.DONE),
    ]:
        views = process_views(process, seen)
        assert views[0].standing is standing
        assert of_process(process, views) is not None

    back = done | {cls.event_type: 3 for cls in process.turned_back_by}
    assert process_views(process, back)[0].standing is Standing.UNDOING
    undone = back | {cls.event_type: 4 for each in process.undos(first) for cls in each.emits}
    assert process_views(process, undone)[0].standing is Standing.UNDONE
    assert process_views(process, back, [first.name])[0].standing is Standing.UNDONE_BY_HAND
