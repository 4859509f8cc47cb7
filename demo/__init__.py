"""The demo: the example project with a life in it, made by real commands."""
