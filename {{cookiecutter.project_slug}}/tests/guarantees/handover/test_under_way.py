"""What may follow a row of its key that has not been marked yet."""

import asyncio
import math
from itertools import count

import pytest

from app.building_blocks.brokers.adapter import BrokerUnavailableError, MessageRefusedError
from app.building_blocks.outbox.claimed_row import ClaimedRow
from app.building_blocks.outbox.lane import Lane
from app.building_blocks.outbox.under_way import UnderWay

NUMBERS = count(1)


def row(key: str | None = "k") -> ClaimedRow:
    now = asyncio.get_running_loop().time()
    return ClaimedRow("token", f"m{next(NUMBERS)}", "t.v1", key, {}, "{}", 0, now, math.inf)


def lane_of(*rows: ClaimedRow) -> Lane:
    return Lane(rows, lambda lane: None)


async def test_a_row_follows_what_has_no_answer_yet_and_what_was_confirmed() -> None:
    under_way, lane = UnderWay(), lane_of(first := row())
    under_way.add(lane)
    assert under_way.known({"k", "other"}) == [first.message_id]
    follower = row()
    assert under_way.may_follow([follower])
    lane.note(None)
    assert under_way.known({"k"}) == [first.message_id]
    assert under_way.may_follow([follower])


@pytest.mark.parametrize("error", [BrokerUnavailableError("away"), MessageRefusedError("large")])
async def test_no_row_follows_what_did_not_go_out(error: Exception) -> None:
    under_way, lane, other = UnderWay(), lane_of(row()), lane_of(row("other"))
    for one in (lane, other):
        under_way.add(one)
    follower = row()
    lane.note(error)
    # Before it is written down that the first is free again, and after.
    assert not under_way.may_follow([follower])
    under_way.remove([lane])
    assert not under_way.may_follow([follower])
    # What was claimed since then has seen the first in the table.
    await asyncio.sleep(0)
    assert under_way.may_follow([row()])


async def test_all_lanes_of_a_key_are_known_until_they_are_marked() -> None:
    under_way, first, second = UnderWay(), lane_of(row()), lane_of(row())
    for lane in (first, second):
        under_way.add(lane)
        lane.note(None)
    assert len(under_way.known({"k"})) == 2
    under_way.remove([first])
    assert under_way.known({"k"}) == [second.confirmed[0].message_id]
    under_way.remove([second])
    assert under_way.known({"k"}) == []
    assert under_way.last_of("k") is None
