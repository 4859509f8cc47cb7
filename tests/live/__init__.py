"""An app of a site that runs: with subscriptions, for tests of `manage.py` in its own process."""
