"""How one contact goes: in line, answered or not, perhaps transferred, over."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import cast

from stream_app.feeds.simulator.agenda import Agenda, Process, Signal
from stream_app.feeds.simulator.chance import Chance
from stream_app.feeds.simulator.floor import Desk, Turn
from stream_app.feeds.simulator.journal import Case, Contact, Journal
from stream_app.feeds.simulator.profile import (
    FLAGS,
    HOUR,
    LONGEST_PATIENCE,
    LONGEST_TALK,
    MEAN_PATIENCE,
    MINUTE,
    PRIORITY_RANK,
    QUEUED_CHANNELS,
    QUEUES,
    REPLY_MEDIAN,
    SECOND,
    TARGETS,
)

Step = Generator[int | Signal, object, str]
"""A part of a process that ends with a word."""

TALK = {queue.name: queue.talk_ms for queue in QUEUES}
AFTER_CONTACT = 0.2
HOLD_MEAN = 19 * SECOND
WRITING = 4 * MINUTE
LONGEST_LYING = 4.0
"""Nothing written lies longer than so many medians."""
RINGING = (3 * SECOND, 9 * SECOND)
"""From the turn to the answer."""
PROMISED_SHARE = 0.8
"""Cases with due instants from the source where hours are hurried; the configured targets do not know of it."""


class ContactDesk:
    """Runs contacts on the desks; what happens to the case afterwards is not its concern."""

    def __init__(
        self, agenda: Agenda, journal: Journal, desks: Mapping[str, Desk], writers: Mapping[str, Desk], chance: Chance, haste: float
    ) -> None:
        self.agenda = agenda
        self.journal = journal
        self.desks = desks
        self.writers = writers
        self.chance = chance
        self.haste = haste
        self.reply_haste = haste**0.65
        """Written answers are hurried less than what customers do, which leaves them minutes."""

    def visit(self, case: Case, channel: str) -> Step:
        """One contact from its opening to its end: ``answered``, ``abandoned`` or ``callback``."""
        case.contacts += 1
        recorded = channel == "phone" and self.chance.happens(0.04)
        contact = Contact(self.journal.name("k"), case, channel, case.queue, self.agenda.now, recorded)
        if recorded:
            self.journal.open_records[contact.contact_id] = contact.opened_at
        else:
            self.journal.about(case, "contact.opened", contact_id=contact.contact_id, **self._described(contact))
        if channel in QUEUED_CHANNELS:
            result = yield from self._live(contact)
        else:
            result = yield from self._written(contact)
        if recorded:
            self._report(contact, result)
        return result

    def _described(self, contact: Contact) -> dict[str, object]:
        case = contact.case
        described: dict[str, object] = {
            "channel": contact.channel,
            "queue": "" if self.chance.happens(0.005) else contact.queue,
            "priority": case.priority,
            "reason": case.reason,
            "team": case.team,
            "tier": case.tier,
            "customer_id": case.customer_id,
        }
        if self.chance.happens(0.02):
            described["complaint"] = True
        if self.chance.happens(0.015):
            described["flags"] = [FLAGS.pick(self.chance)]
        if case.contacts == 1 and self.haste > 1 and self.chance.happens(PROMISED_SHARE):
            described["due"] = self._promised(case)
        elif case.contacts == 1 and self.chance.happens(0.08):
            described["due"] = self._due()
        return described

    def _due(self) -> dict[str, int]:
        due: dict[str, int] = {}
        if self.chance.happens(0.6):
            due["first_reply"] = self.agenda.now + self.chance.choice((5 * MINUTE, 30 * MINUTE, 4 * HOUR))
        if not due or self.chance.happens(0.5):
            due["resolution"] = self.agenda.now + self.chance.choice((30 * MINUTE, 8 * HOUR, 48 * HOUR))
        return due

    def _promised(self, case: Case) -> dict[str, int]:
        """The usual targets, as much shorter as the answers are."""
        return {metric: self.agenda.now + int(targets[case.priority] / self.reply_haste) for metric, targets in TARGETS.items()}

    def _live(self, contact: Contact) -> Step:
        """Wait in line, be served, perhaps by a second desk."""
        result, representative = yield from self._in_line(contact)
        if result != "answered":
            return result
        yield from self._talk(contact, representative)
        if not contact.recorded and self.chance.happens(0.09):
            handed_over = yield from self._transfer(contact)
            if not handed_over:
                return "answered"
        self._end(contact)
        return "answered"

    def _in_line(self, contact: Contact) -> Generator[int | Signal, object, tuple[str, str]]:
        desk = self.desks[contact.queue]
        turn = desk.wait(PRIORITY_RANK[contact.case.priority])
        if turn.waiting:
            self.agenda.start(self._lose_patience(contact, desk, turn), self._patience(contact))
        result, representative = cast("tuple[str, str]", (yield turn.served))
        if result == "answered":
            yield self.chance.randint(*RINGING)
            contact.answered_at = self.agenda.now
            if not contact.recorded:
                self.journal.about(contact.case, "contact.answered", contact_id=contact.contact_id, representative_id=representative)
        elif result == "abandoned" and not contact.recorded:
            self.journal.about(contact.case, "contact.abandoned", contact_id=contact.contact_id)
        return result, representative

    def _patience(self, contact: Contact) -> int:
        if self.chance.happens(0.04):
            return self.chance.randint(500, 4900)
        return min(3 * SECOND + self.chance.about(MEAN_PATIENCE[contact.channel]), LONGEST_PATIENCE)

    def _lose_patience(self, contact: Contact, desk: Desk, turn: Turn) -> Process:
        offered = contact.channel == "phone" and not contact.recorded
        if turn.waiting and offered and self.chance.happens(0.15):
            self.journal.about(contact.case, "contact.callback_requested", contact_id=contact.contact_id)
            desk.leave(turn, "callback")
        desk.leave(turn, "abandoned")
        yield 0

    def _talk(self, contact: Contact, representative: str) -> Generator[int | Signal, object, None]:
        desk = self.desks[contact.queue]
        mean_talk = TALK[contact.queue]
        talk = min(int(mean_talk * self.chance.lognormvariate(-0.18, 0.6)), LONGEST_TALK)
        hold = self.chance.randint(10, 180) * SECOND if self.chance.happens(0.2) else 0
        if contact.channel == "chat":
            yield from self._chat(contact, representative, talk)
        else:
            yield talk
        yield hold
        after_contact = self.chance.about(mean_talk * AFTER_CONTACT)
        self.agenda.start(self._wrap_up(desk, representative), after_contact)
        if self.chance.happens(0.9):
            contact.parts = {"talk_s": talk / 1000, "hold_s": hold / 1000, "after_contact_s": after_contact / 1000}

    @staticmethod
    def _wrap_up(desk: Desk, representative: str) -> Process:
        desk.release(representative)
        yield 0

    def _chat(self, contact: Contact, representative: str, talk: int) -> Generator[int | Signal, object, None]:
        turns = self.chance.randint(1, 3)
        for _ in range(turns):
            yield talk // (2 * turns)
            self.journal.about(contact.case, "message.customer", contact_id=contact.contact_id)
            yield talk // (2 * turns)
            self.reply(contact.case, representative)

    def reply(self, case: Case, representative: str, *, public: bool = True) -> None:
        """A message of a representative, public or a note among colleagues."""
        self.journal.about(case, "message.representative", representative_id=representative, public=public)

    def _transfer(self, contact: Contact) -> Generator[int | Signal, object, bool]:
        """To another queue, and in line there; False when the customer gives up."""
        target = self.chance.choice([queue for queue in QUEUES if queue.name != contact.queue])
        contact.queue = contact.case.queue = target.name
        moved: dict[str, object] = {"contact_id": contact.contact_id, "to_queue": target.name}
        if self.chance.happens(0.7):
            moved["to_team"] = contact.case.team = target.team
        self.journal.about(contact.case, "contact.transferred", **moved)
        result, representative = yield from self._in_line(contact)
        if result == "answered":
            yield from self._talk(contact, representative)
        return result == "answered"

    def _end(self, contact: Contact) -> None:
        if not contact.recorded:
            self.journal.about(contact.case, "contact.ended", contact_id=contact.contact_id, **contact.parts)

    def _written(self, contact: Contact) -> Step:
        """An e-mail or a form: an automatic receipt, then an answer when somebody comes to it."""
        if self.chance.happens(0.7):
            yield 2 * SECOND
            self.journal.about(contact.case, "message.representative", representative_id="receipts", public=True, automated=True)
        yield from self.answer_in_writing(contact.case)
        return "answered"

    def answer_in_writing(self, case: Case) -> Generator[int | Signal, object, None]:
        """It lies for a while; then a representative of the case's queue works on it and writes."""
        yield int(REPLY_MEDIAN[case.priority] * min(self.chance.lognormvariate(0, 0.9), LONGEST_LYING) / self.reply_haste)
        desk = self.writers[case.queue]
        turn = desk.wait(PRIORITY_RANK[case.priority])
        _, representative = cast("tuple[str, str]", (yield turn.served))
        yield MINUTE + self.chance.about(WRITING - MINUTE)
        if self.chance.happens(0.1):
            self.reply(case, representative, public=False)
        self.reply(case, representative)
        desk.release(representative)

    def _report(self, contact: Contact, result: str) -> None:
        """The finished record of a contact about which nothing was sent while it went on."""
        del self.journal.open_records[contact.contact_id]
        record = {"contact_id": contact.contact_id, "opened_at": contact.opened_at, **self._described(contact)}
        if result == "answered":
            record |= {"answered_at": contact.answered_at, "ended_at": self.agenda.now, **contact.parts}
        else:
            record["abandoned_at"] = self.agenda.now
        if result == "answered" and self.chance.happens(0.75):
            record["resolved_at"] = self.agenda.now
            contact.case.status = "resolved"
        self.journal.about(contact.case, "contact.recorded", **record)


def mean_handling(talk_ms: int) -> float:
    """What one live contact takes of a representative: ringing, talk, hold and after-contact work."""
    return sum(RINGING) / 2 + talk_ms * (1 + AFTER_CONTACT) + HOLD_MEAN
