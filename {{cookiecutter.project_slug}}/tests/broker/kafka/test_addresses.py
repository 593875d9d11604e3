"""What BROKER_URL says about servers and logins."""

import pytest

from app.building_blocks.brokers.kafka.adapter import KafkaAdapter
from app.building_blocks.brokers.kafka.connection import read_address


@pytest.mark.parametrize(
    "url",
    [
        "kafka://",
        "kafka://host",
        "kafka://host:port",
        "kafka://one:9092,two",
        "kafka://one:9092/topic",
        "kafka://one:9092?acks=0",
        "kafka://u:p@one:9092?sasl_mechanism=GSSAPI",
    ],
)
def test_a_url_that_says_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"host:port|sasl_mechanism|Port"):
        KafkaAdapter(url, "test")


def test_a_url_names_servers_login_and_mechanism() -> None:
    plain = read_address("kafka://one:1,two:2", "test").settings(1)
    assert plain["bootstrap_servers"] == ["one:1", "two:2"]
    assert plain["security_protocol"] == "PLAINTEXT"
    login = read_address("kafka://u%40x:p%3Aw@one:1", "test").settings(1)
    assert login["security_protocol"] == "SASL_PLAINTEXT"
    assert (login["sasl_mechanism"], login["sasl_plain_username"]) == ("PLAIN", "u@x")
    assert login["sasl_plain_password"] == "p:w"
    tls = read_address("kafka+ssl://u:p@one:1?sasl_mechanism=SCRAM-SHA-512", "test").settings(1)
    assert (tls["security_protocol"], tls["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert tls["ssl_context"] is not None
    assert read_address("kafka+ssl://one:1", "test").settings(1)["security_protocol"] == "SSL"
