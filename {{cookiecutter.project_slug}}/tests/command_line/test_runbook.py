"""What README tells to type when something waits does what it says."""

import re
import shlex

from app.building_blocks.databases.database import Database
from app.building_blocks.outbox.claims import Claims
from app.building_blocks.retry_policy import RetryPolicy
from tests.command_line.conftest import Command
from tests.conftest import PROJECT
from tests.guarantees.conftest import write_rows
from tests.guarantees.consuming import consumer_of, inbox_row, order_created


async def fail(event: object, mediator: object) -> None:
    raise ValueError("always")


async def test_the_runbooks_commands_replay_what_is_dead(
    database: Database, command: Command
) -> None:
    readme = (PROJECT / "README.md").read_text("utf-8")
    section = readme.partition("### When something waits")[2]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    consumer = consumer_of(database, fail, retry=RetryPolicy(max_retries=0))
    message = order_created()
    await consumer.receive(message)
    await write_rows(database, ("k", "refused"), state="dead", attempts=11)
    for line in block[1].splitlines():
        python, module, app, *arguments = shlex.split(line)
        assert (python, module, app) == ("python", "-m", "app")
        ended = await command(*arguments)
        assert ended.code == 0, ended.err
    row = await inbox_row(database, message, consumer)
    assert (row.state, row.attempts) == ("retrying", 0)
    assert await consumer.retry(row.message_id)
    [claimed] = await Claims(database).claim(1)
    assert (claimed.payload, claimed.attempts) == ("refused", 0)
