"""Event sourcing for Django.

Reading order: `messages` (what an event and a command are), `store/base` (where events are kept),
`aggregates` and `repository` (state from events), `command_bus` (how a command becomes events),
`api` (how a command arrives over HTTP).
"""
