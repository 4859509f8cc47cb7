"""How fast it is, beside others on the same PostgreSQL server: `python -m benchmarks`.

A suite is a module here that stands in `__main__.SUITES` and has `rows(server)`, which yields
`report.Row`s, most of them from a `race` of contenders (see `harness`).
"""
