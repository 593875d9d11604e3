"""Faults: this service's promises, tried on real processes that are killed and cut off.

`python -m tests.faults --help` says how to run it. `run.py` is the table of contents.
`orders.py` and `verdict.py` know the sample features; they change when the features do.
"""
