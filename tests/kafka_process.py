"""Kafka as a process of the test's own: librdkafka's cluster for tests, which can go and come."""

import subprocess
import sys
from pathlib import Path

from service import environment

# It has the class from a generated service's own tests.
CLUSTER = """
import sys
from tests.own_broker import MockCluster

cluster = MockCluster()
cluster.go_down()
print(cluster.url, flush=True)
for word in sys.stdin:
    cluster.come_up() if word.strip() == "up" else cluster.go_down()
    print("done", flush=True)
"""


class KafkaProcess:
    """Begins as a server that is down. What it keeps, it keeps in memory while it is down, too."""

    def __init__(self, service: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER],
            cwd=service,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._answer()

    def start(self) -> None:
        """Return once it accepts connections."""
        self._say("up")

    def stop(self) -> None:
        """Drop every connection and refuse new ones."""
        self._say("down")

    kill = stop

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().strip()
        assert answer, "the Kafka cluster for tests has ended"
        return answer
