"""Redis Streams: read `adapter.py` first."""
