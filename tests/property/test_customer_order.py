"""A customer's facts are a function of the newest version of each contact, whatever the order of arrival."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from models.cases.rules import CaseRules
from models.customers.logic import CustomersLogic
from models.customers.row import CustomerRow, facts_of
from models.durability.panes import PaneStore
from models.events.canonical import ContactVersion, Mark
from models.panes.dimensions import Dimensions
from models.panes.facts import Entry, total
from models.progress.watermark import Progress

RULES = {"repeat_window_d": 20 / 86_400, "horizon_s": 1_000_000}
CELL = ("billing", "phone", "normal", "unset")
END = 100_000


@st.composite
def versions(draw: st.DrawFn) -> list[ContactVersion]:
    """Some versions of a few contacts, no two of one contact with the same number."""
    found: dict[tuple[str, int], ContactVersion] = {}
    for number in range(draw(st.integers(1, 12))):
        case, name = draw(st.sampled_from(("k1", "k2"))), draw(st.sampled_from(("a", "b", "c")))
        version = draw(st.integers(0, 4))
        seconds = st.integers(0, 60).map(lambda second: second * 1000)
        found[f"{case}/{name}", version] = ContactVersion(
            f"{case}/{name}",
            (0, version),
            "ann",
            case,
            name,
            draw(seconds),
            CELL,
            reason=draw(st.sampled_from(("", "refund", "late"))),
            abandoned=draw(st.booleans()),
            reopened_at=tuple(sorted(draw(st.lists(seconds, max_size=2)))),
            withdrawn=draw(st.integers(0, 4)) == number,
        )
    return list(found.values())


class Told:
    """A row and the journal of everything that went to the panes."""

    def __init__(self) -> None:
        self.logic = CustomersLogic(PaneStore(), Dimensions())
        self.logic.adopt(dict(RULES), changed=False)
        self.row: CustomerRow | None = None
        self.journal: list[Entry] = []
        self.progress = Progress()

    def tell(self, version: ContactVersion) -> None:
        decision = self.logic.apply("ann", self.row, version, 1, self.progress)
        self.row = decision.row or self.row
        self._enter(decision.journal)

    def pass_to(self, at: int) -> None:
        if self.row is not None and self.progress.take(Mark({"cases-0": at}, {"cases": 1}, at)):
            self._enter(self.logic.wake("ann", self.row, 1, self.progress).journal)

    def _enter(self, journal: object) -> None:
        self.journal += journal  # type: ignore[arg-type]
        assert self.row is not None
        assert total(self.journal) == self.row.facts


@settings(max_examples=200, deadline=None)
@given(versions=versions(), data=st.data())
def test_any_order_of_versions_and_wakes_gives_the_facts_of_the_newest(versions: list[ContactVersion], data: st.DataObject) -> None:
    told = Told()
    for version in data.draw(st.permutations(versions)):
        told.tell(version)
        if data.draw(st.booleans()):
            told.pass_to(data.draw(st.integers(1, END // 2)))
    told.pass_to(END)
    expected = CustomerRow()
    expected.settled_to = END
    for version in sorted(versions, key=lambda version: version.version):
        expected.contacts[version.key] = version
    assert told.row is not None
    assert told.row.contacts == expected.contacts
    assert told.row.facts == facts_of(expected, CaseRules.from_body(RULES))


@settings(max_examples=100, deadline=None)
@given(versions=versions(), data=st.data())
def test_an_older_version_never_wins(versions: list[ContactVersion], data: st.DataObject) -> None:
    told = Told()
    newest: dict[str, tuple[int, int]] = {}
    for version in data.draw(st.permutations(versions)):
        told.tell(version)
        newest[version.key] = max(version.version, newest.get(version.key, (0, -1)))
        assert told.row is not None
        assert {key: known.version for key, known in told.row.contacts.items()} == newest


@settings(max_examples=100, deadline=None)
@given(versions=versions())
def test_withdrawing_every_contact_gives_everything_back(versions: list[ContactVersion]) -> None:
    told = Told()
    for version in versions:
        told.tell(version)
    for key, contact in list(told.row.contacts.items()) if told.row is not None else []:
        told.tell(ContactVersion(key, (1, 0), "ann", contact.case_id, contact.contact_id, contact.opened_at, CELL, withdrawn=True))
    assert total(told.journal) == {}
