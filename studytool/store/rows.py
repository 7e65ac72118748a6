"""Between rows of the database and the values of the schedule, without loss.

Floats pass through SQLite as the same eight bytes, so a state that was written and read is
identical to the one that was computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from studytool.deck.model import Card
from studytool.schedule.model import Body, CardState, LogEvent, Phase
from studytool.store.records import StoredCard

if TYPE_CHECKING:
    from collections.abc import Sequence

encode_body = msgspec.json.Encoder().encode
decode_body = msgspec.json.Decoder(Body).decode
encode_card = msgspec.json.Encoder().encode
decode_card = msgspec.json.Decoder(Card).decode

#: The columns of `card_state` that hold a CardState, in the order of its fields.
STATE_FIELDS: tuple[str, ...] = CardState.__struct_fields__
#: The columns of `events` that hold a LogEvent.
EVENT_FIELDS = ("uuid", "device", "seq", "at_ms", "day", "group", "body")

_PHASES = {str(phase): phase for phase in Phase}
_LEECH, _SUSPENDED = STATE_FIELDS.index("leech"), STATE_FIELDS.index("suspended")
_to_tuple = msgspec.structs.astuple


def state_of(row: Sequence[Any]) -> CardState:
    """The state in a row that begins with STATE_FIELDS."""
    values = dict(zip(STATE_FIELDS, row, strict=False))
    values["phase"] = _PHASES[row[0]]
    values["leech"] = row[_LEECH] == 1
    values["suspended"] = row[_SUSPENDED] == 1
    return CardState(**values)


def state_row(state: CardState) -> tuple[Any, ...]:
    """The values for STATE_FIELDS."""
    return _to_tuple(state)


def event_of(row: Sequence[Any]) -> LogEvent:
    """The event in a row of EVENT_FIELDS."""
    uuid, device, seq, at_ms, day, group, body = row
    return LogEvent(
        uuid=uuid,
        device=device,
        seq=seq,
        at_ms=at_ms,
        day=day,
        group=group,
        body=decode_body(body),
    )


def stored_card(row: Sequence[Any]) -> StoredCard:
    """The card in a row of text as JSON, path, line, content hash, retired."""
    body, path, line, content_hash, retired = row
    return StoredCard(decode_card(body), path, line, content_hash, retired == 1)
