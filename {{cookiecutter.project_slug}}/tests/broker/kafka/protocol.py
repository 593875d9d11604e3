"""Numbers of Kafka's protocol: kinds of requests, and what a server can answer them with."""

PRODUCE, JOIN_GROUP, HEARTBEAT = 0, 11, 12
TOO_LARGE, NOT_ENOUGH_REPLICAS, FORBIDDEN_TOPIC, FORBIDDEN_GROUP, OUT_OF_ORDER = 10, 19, 29, 30, 45
