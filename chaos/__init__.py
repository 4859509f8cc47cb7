"""What survives when processes are killed all the time: `python -m chaos`.

A suite is a module here that is named in `__main__.SUITES` and has a `Plan` and `run(plan)`, which
returns an outcome that `holds` or not, and can `show` itself.
"""
