"""RabbitMQ: read `adapter.py` first."""
