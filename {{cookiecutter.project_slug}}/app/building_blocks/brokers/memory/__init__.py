"""The broker inside the process, for first runs and for tests."""
