"""NATS JetStream: read `adapter.py` first."""
