"""What one message becomes. Pure: the same message gives the same events with the same ids, however often it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from models.events.rejection import Reason, RejectedError
from stream_app.mapping.expressions import Evaluate, Expression, Path, find, is_false

EVENTS_CAP = 1_000
"""Most events of one message, and most elements of a list that a rule goes through."""
ITEM = "item"
"""What a rule with ``each`` calls the element it is at."""

Fields = dict[str, Any]
"""An event of the input contract, not yet checked."""

_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Emit:
    """How one event is made: its type, and for each field what finds its value. ``where``: file and line."""

    where: str
    type: str
    fields: tuple[tuple[str, Evaluate], ...]

    def event(self, message: object) -> Fields:
        """Raises ``RejectedError`` (``invalid_field``), whatever an expression runs into."""
        event: Fields = {"type": self.type}
        name = ""
        try:
            for name, find in self.fields:
                value = find(message)
                if value is not None:
                    event[name] = value
        except Exception as error:
            raise _failed("invalid_field", name, self.where, error) from error
        return event


@dataclass(frozen=True, slots=True)
class Rule:
    """``when`` absent: holds for every message. ``ignore``: what it holds for goes no further."""

    where: str
    when: Expression | None = None
    each: Expression | None = None
    emit: tuple[Emit, ...] = ()
    ignore: bool = False

    @property
    def guard(self) -> tuple[Path, str] | None:
        """What a message must have, or the rule does not hold; not known of a rule that looks at elements of it."""
        return self.when.guard if self.when is not None and self.each is None else None

    def events(self, message: object) -> list[Fields] | None:
        """None if the rule does not hold. Raises ``RejectedError``."""
        if self.each is None:
            return [emit.event(message) for emit in self.emit] if self._holds(message) else None
        holding = [each for each in self._elements(message) if self._holds(each)]
        return [emit.event(each) for each in holding for emit in self.emit] if holding else None

    def _holds(self, message: object) -> bool:
        if self.when is None:
            return True
        try:
            return not is_false(self.when.value(message))
        except Exception as error:
            raise _failed("unmapped", "when", self.where, error) from error

    def _elements(self, message: object) -> Iterator[object]:
        """The message, once for each element of the list, with that as ``item``."""
        try:
            found = self.each.value(message) if self.each is not None else None
        except Exception as error:
            raise _failed("unmapped", "each", self.where, error) from error
        if found is not None and not isinstance(found, list):
            raise RejectedError("unmapped", "each", f"{self.where}: not a list")
        if found is not None and len(found) > EVENTS_CAP:
            raise RejectedError("too_large", "each", f"{self.where}: more than {EVENTS_CAP} elements")
        whole = message if isinstance(message, dict) else {}
        return ({**whole, ITEM: element} for element in found or ())


class Rules:
    """The rules of one file, tried from the top: each that holds adds its events, one that ignores ends it."""

    def __init__(self, name: str, rules: Sequence[Rule]) -> None:
        self.name = name
        self.rules = tuple(rules)
        self._path = _commonest_path(rules)
        constants = {rule.guard[1] for rule in rules if rule.guard and rule.guard[0] == self._path}
        self._candidates = {constant: self._rules_for(constant) for constant in constants}
        self._always = self._rules_for(None)

    def _rules_for(self, constant: str | None) -> tuple[Rule, ...]:
        """Those that may hold for a message that has this at the path."""
        return tuple(rule for rule in self.rules if not rule.guard or rule.guard[0] != self._path or rule.guard[1] == constant)

    def events(self, message: object, held: list[Rule] | None = None) -> list[Fields]:
        """The events of a decoded message, each with its id; nothing if it is to be ignored. ``held`` gets the rules that held.

        Raises ``RejectedError`` (``unmapped``: no rule holds, or a value that a rule needs is not there as it should be;
        ``invalid_field``: an event's field can not be made; ``too_large``) and nothing else.
        """
        events: list[Fields] = []
        is_mapped = False
        key = find(self._path, message)
        for rule in self._candidates.get(key, self._always) if type(key) is str else self._always:
            found = rule.events(message)
            if found is None:
                continue
            is_mapped = True
            if held is not None:
                held.append(rule)
            if rule.ignore:
                break
            events += found
            if len(events) > EVENTS_CAP:
                raise RejectedError("too_large", "", f"becomes more than {EVENTS_CAP} events")
        if not is_mapped:
            raise RejectedError("unmapped", "", f"no rule of {self.name} holds")
        _identify(events)
        return events


def _commonest_path(rules: Sequence[Rule]) -> Path:
    """The one that most rules look at first, such as ``type``: a message then meets only those that want what it has there."""
    paths = Counter(rule.guard[0] for rule in rules if rule.guard)
    return paths.most_common(1)[0][0] if paths else ()


def _identify(events: list[Fields]) -> None:
    """Ids that are the same whenever the message comes, and that no two events of it share.

    A given id is the message's, so the type is added to it, as for the parts of a recorded contact. Without one it is a hash
    of the event. What is still the same within the message is numbered.
    """
    times: dict[str, int] = {}
    for event in events:
        given = event.get("event_id")
        if given is None or given == "":
            event_id = _hash(event)
        elif isinstance(given, str):
            event_id = f"{given}#{event['type']}"
        else:
            continue  # the decoder refuses it by name
        if len(events) > 1:
            times[event_id] = number = times.get(event_id, 0) + 1
            if number > 1:
                event_id = f"{event_id}#{number}"
        event["event_id"] = event_id


def _hash(event: Fields) -> str:
    """Of the content, in whatever order a mapping has its fields."""
    try:
        return blake2b(_encoder.encode(event), digest_size=16).hexdigest()
    except Exception as error:
        raise RejectedError("invalid_field", "event_id", f"can not be made of the other fields: {error}") from error


def _failed(reason: Reason, field: str, where: str, error: Exception) -> RejectedError:
    said = f"{error}".strip().splitlines() or [type(error).__name__]
    return RejectedError(reason, field, f"{where}: {said[0]}")
