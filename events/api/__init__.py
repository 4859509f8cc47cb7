"""HTTP endpoints made from the registered commands, and the log to read. Needs DRF.

Mount `events.api.urls`. Nothing here depends on the host's `REST_FRAMEWORK`.
"""
