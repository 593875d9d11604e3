"""Kafka: read `adapter.py` first."""
