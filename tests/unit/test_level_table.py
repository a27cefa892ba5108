"""Levels per cell, their minima, and the clocks that are due next."""

from __future__ import annotations

from models.cases.level import AT_RISK, NOBODY_WAITS, ON_TIME, OVERDUE
from models.cases.level_table import NEXT_SHOWN, SLACK, LevelTable
from models.cases.row import ClockLevel, Level
from models.panes.dimensions import Cell

RED: Cell = ("billing", "email", "normal", "red")
BLUE: Cell = ("billing", "email", "normal", "blue")


def level(
    opened_at: int = 10, *clocks: ClockLevel, cell: Cell = RED, awaiting: int = NOBODY_WAITS, age: int = 0, status: str = "open"
) -> Level:
    return cell, status, age, awaiting, opened_at, clocks


def clock(due: int, state: int = ON_TIME, metric: str = "first_reply") -> ClockLevel:
    return metric, state, due, due - 5


def shown(table: LevelTable) -> list[tuple[object, object]]:
    return [(entry["case_id"], entry["due_at"]) for entry in table.next_to_breach()]


def test_cases_of_a_cell_add_up_and_an_empty_cell_is_gone() -> None:
    table = LevelTable()
    table.change("a", None, level(10))
    table.change("b", None, level(5))
    assert dict(table.cells()) == {RED: {"backlog:open": 2, "age:lt4h": 2, "oldest_open_at": 5}}
    table.change("a", level(10), None)
    table.change("b", level(5), None)
    assert dict(table.cells()) == {}


def test_the_oldest_is_the_minimum_of_those_that_are_left() -> None:
    table = LevelTable()
    for name, since in (("a", 30), ("b", 20), ("c", 40)):
        table.change(name, None, level(since, awaiting=since))
    assert dict(table.cells())[RED]["oldest_awaiting_at"] == 20
    table.change("b", level(20, awaiting=20), level(20))
    levels = dict(table.cells())[RED]
    assert (levels["oldest_awaiting_at"], levels["oldest_open_at"], levels["awaiting"]) == (30, 20, 2)


def test_when_nobody_waits_there_is_no_oldest() -> None:
    table = LevelTable()
    table.change("a", None, level(awaiting=10))
    table.change("a", level(awaiting=10), level(age=-1, status="resolved"))
    assert dict(table.cells()) == {RED: {"backlog:resolved": 1}}


def test_a_change_to_the_same_level_is_no_change() -> None:
    table = LevelTable()
    table.change("a", None, level())
    table.changed = False
    table.change("a", level(), level())
    assert not table.changed
    table.change("a", level(), level(age=1))
    assert table.changed


def test_a_clock_at_risk_is_running_too_and_an_overdue_one_is_not() -> None:
    table = LevelTable()
    table.change("a", None, level(10, clock(50), clock(60, AT_RISK, "resolution")))
    table.change("b", None, level(11, clock(40, OVERDUE)))
    counts = {name: count for name, count in dict(table.cells())[RED].items() if name.startswith("sla_")}
    assert counts == {"sla_running:first_reply": 1, "sla_running:resolution": 1, "sla_at_risk:resolution": 1, "sla_overdue:first_reply": 1}


def test_the_ten_running_clocks_due_first_are_shown_in_order() -> None:
    table = LevelTable()
    for number in range(15):
        table.change(f"c{number:02}", None, level(10, clock(100 - number)))
    expected = [(f"c{number:02}", 100 - number) for number in range(14, 14 - NEXT_SHOWN, -1)]
    assert shown(table) == expected
    assert shown(table) == expected  # asking takes nothing away


def test_a_clock_that_is_overdue_moved_or_gone_is_not_shown() -> None:
    table = LevelTable()
    for name in "abcd":
        table.change(name, None, level(10, clock(50)))
    table.change("a", level(10, clock(50)), level(10, clock(50, OVERDUE)))
    table.change("b", level(10, clock(50)), level(10, clock(70)))
    table.change("c", level(10, clock(50)), None)
    assert shown(table) == [("d", 50), ("b", 70)]


def test_a_clock_that_comes_to_be_at_risk_is_shown_once_and_says_so() -> None:
    table = LevelTable()
    table.change("a", None, level(10, clock(50)))
    table.change("a", level(10, clock(50)), level(10, clock(50, AT_RISK)))
    assert [entry["at_risk"] for entry in table.next_to_breach()] == [True]


def test_a_clock_that_stays_as_it_is_follows_its_case_into_another_cell() -> None:
    table = LevelTable()
    table.change("a", None, level(10, clock(50)))
    table.change("a", level(10, clock(50)), level(10, clock(50), age=1))
    table.change("a", level(10, clock(50), age=1), level(10, clock(50), cell=BLUE, age=1))
    (entry,) = table.next_to_breach()
    assert entry == {
        "case_id": "a",
        "metric": "first_reply",
        "due_at": 50,
        "warn_at": 45,
        "at_risk": False,
        "queue": "billing",
        "channel": "email",
        "priority": "normal",
        "team": "blue",
    }


def test_many_changes_of_few_cases_leave_the_heaps_small() -> None:
    table = LevelTable()
    now = None
    table.change("oldest", None, level(1, clock(1), awaiting=1))
    for number in range(2_000):
        then = level(10, clock(1_000 + number), awaiting=10 + number, age=number % 4)
        table.change("a", now, then)
        now = then
    bound = SLACK + 4 * 2 + 1
    assert max(len(table._next), len(table._open[RED]._heap), len(table._awaiting[RED]._heap)) <= bound
    assert shown(table) == [("oldest", 1), ("a", 2_999)]
    assert dict(table.cells())[RED]["oldest_awaiting_at"] == 1
