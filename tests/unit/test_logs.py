"""Log lines: for people, for collectors, and never a payload."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaConnectionError

from models.durability.keyed import RecordFailedError, TooManyFailuresError
from models.events.rejection import RejectedError
from stream_app.logs import LONGEST_MESSAGE, configure_logging, error_words


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    yield
    sys.excepthook, threading.excepthook = hooks
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


def test_debug_lets_libraries_speak_but_not_quote_what_they_send() -> None:
    stream, _ = logged("text", "debug")
    logging.getLogger("aiokafka.consumer").info("chatter")
    logging.getLogger("aiokafka.producer").debug("Sending (key=%s value=%s)", b"c1", b"secret")
    assert "chatter" in stream.getvalue()
    assert "secret" not in stream.getvalue()


class QuotingError(ValueError):
    """An error of somebody else, whose text quotes what it is about."""


def raised(*errors: Exception) -> Exception:
    """The last of the errors, each caused by the one before."""
    caught: Exception | None = None
    for error in errors:
        try:
            raise error from caught
        except Exception as told:
            caught = told
    assert caught is not None
    return caught


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("quoting", [QuotingError("secret"), KeyError("secret"), RecordFailedError("secret"), RejectedError("not_json", "", "secret")])
def test_of_errors_that_may_quote_an_event_only_the_type_is_told(form: str, quoting: Exception) -> None:
    stream, logger = logged(form)
    error = raised(quoting, TooManyFailuresError("stop"))
    logger.error("failed: %r, %s", error, quoting, exc_info=error, extra={"why": quoting})
    logger.error(quoting)
    logger.error("%(why)s", {"why": "named"})
    assert "secret" not in stream.getvalue()
    assert stream.getvalue().count(type(quoting).__name__) >= 3
    assert "TooManyFailuresError: stop" in stream.getvalue()
    assert "in raised" in stream.getvalue()


def test_what_the_system_and_kafka_say_is_told() -> None:
    assert error_words(OSError("address in use")) == "OSError: address in use"
    assert error_words(KafkaConnectionError("no broker")) == "KafkaConnectionError: no broker"
    assert error_words(None) == "no reason known"
    assert error_words(TimeoutError()) == "TimeoutError"


def test_of_asyncio_only_the_first_line_is_told_as_the_others_show_tasks_with_their_errors() -> None:
    stream, _ = logged("text")
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=ValueError('secret')>")
    assert "Task exception was never retrieved" in stream.getvalue()
    assert "secret" not in stream.getvalue()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exception_that_ends_a_thread_is_a_line_like_any_other() -> None:
    stream, _ = logged("text")

    def fail(text: str) -> None:
        raise QuotingError(text)

    thread = threading.Thread(target=fail, args=["secret"])
    thread.start()
    thread.join()
    assert "event=uncaught_exception" in stream.getvalue()
    assert "secret" not in stream.getvalue()


def test_an_interruption_is_left_to_python(capsys: pytest.CaptureFixture[str]) -> None:
    stream, _ = logged("text")
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert stream.getvalue() == ""
    assert "KeyboardInterrupt" in capsys.readouterr().err


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
