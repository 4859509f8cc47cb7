"""A table for what handlers do in tests."""
