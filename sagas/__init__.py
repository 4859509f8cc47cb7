"""Sagas for Django: processes of several steps that run to their end, or are undone.

Reading order: `step` and `definition` (what is declared), `plan` (what that is compiled to),
`events` (what is recorded), `state` and `evolution` (what it amounts to), `decisions` (what happens
next), `instance` (all of it as one event-sourced aggregate), `correlation` and `outgoing` (the ways
in and out).

Processes without a conductor: `choreography` (reactions, as declared), `process` (the graph
of them, and where an instance stands), `reacting` (carries them out), `watch`, `watched` and
`deadlines` (see that none stops in silence).
"""
