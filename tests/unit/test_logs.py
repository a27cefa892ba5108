"""Log lines: for people, for collectors, and never a payload."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from stream_app.logs import LONGEST_MESSAGE, configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    sys.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(form: str, level: str = "info") -> tuple[io.StringIO, logging.Logger]:
    stream = io.StringIO()
    configure_logging(level, form, stream)
    return stream, logging.getLogger("stream_app.somewhere")


def test_a_text_line_has_time_level_place_message_and_fields() -> None:
    stream, logger = logged("text")
    logger.warning("late", extra={"source": "contacts-3"})
    line = stream.getvalue()
    assert line.endswith("Z warning stream_app.somewhere: late source=contacts-3\n")


def test_a_json_line_is_one_object() -> None:
    stream, logger = logged("json")
    logger.info('said "%s"\nand more', "x", extra={"partition": 3, "thing": object})
    content = json.loads(stream.getvalue())
    assert (content["level"], content["message"], content["partition"]) == ("info", 'said "x" and more', 3)
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_an_error_quotes_is_cut_so_that_no_payload_gets_out(form: str) -> None:
    stream, logger = logged(form)
    payload = "secret " * 10_000
    try:
        raise ValueError(payload)
    except ValueError:
        logger.exception("bad %s", payload, extra={"body": payload})
    assert "ValueError" in stream.getvalue()
    assert len(stream.getvalue()) < 5 * LONGEST_MESSAGE


def test_libraries_speak_from_warnings_on_and_we_from_the_level_set() -> None:
    stream, logger = logged("text")
    logging.getLogger("aiokafka.consumer").info("chatter")
    logger.debug("detail")
    logger.info("news")
    assert [line.split(": ")[1] for line in stream.getvalue().splitlines()] == ["news"]


def test_debug_lets_libraries_speak() -> None:
    stream, _ = logged("text", "debug")
    logging.getLogger("aiokafka.consumer").debug("chatter")
    assert "chatter" in stream.getvalue()


def test_every_line_of_one_worker_among_several_carries_its_number() -> None:
    stream = io.StringIO()
    configure_logging("info", "text", stream, worker=1)
    try:
        raise ValueError
    except ValueError:
        logging.getLogger("stream_app.somewhere").exception("bad")
    first, *stack = stream.getvalue().splitlines()
    assert first.endswith("Z error   [worker 1] stream_app.somewhere: bad")
    assert stack
    assert all(line.startswith("    [worker 1] ") for line in stack)


def test_json_of_one_worker_among_several_names_its_number_and_of_one_alone_does_not() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", stream, worker=0)
    logging.getLogger("stream_app.somewhere").info("hello")
    configure_logging("info", "json", stream)
    logging.getLogger("stream_app.somewhere").info("hello")
    among, alone = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (among["worker"], "worker" in alone) == (0, False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_that_nobody_catches_carries_the_number_too(form: str) -> None:
    stream = io.StringIO()
    configure_logging("info", form, stream, worker=2)
    try:
        raise OSError("address already in use")
    except OSError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    lines = stream.getvalue().splitlines()
    assert "address already in use" in lines[0]
    assert all("[worker 2]" in line or json.loads(line)["worker"] == 2 for line in lines)
