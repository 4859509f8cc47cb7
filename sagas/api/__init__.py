"""Sagas over HTTP, to be read. Needs DRF; mount `sagas.api.urls` beside `events.api.urls`."""
