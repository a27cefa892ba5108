"""Who may reach our web servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_app.access import UnsafeAddressError, is_authorized, is_loopback, token_for


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    assert token_for(host, None, "metrics") is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "localhost.example", "127.0.0.1.example"])
def test_any_other_address_without_a_token_is_refused(host: str) -> None:
    with pytest.raises(UnsafeAddressError, match=r"set metrics\.token_file"):
        token_for(host, None, "metrics")


def test_a_token_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n")
    assert token_for("0.0.0.0", file, "board") == "0123456789abcdef"


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40, None])
def test_a_token_file_that_is_of_no_use_is_refused_even_on_loopback(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnsafeAddressError, match="token_file"):
        token_for("127.0.0.1", file, "board")


@pytest.mark.parametrize(
    ("header", "token", "allowed"),
    [
        ("Bearer abc", "abc", True),
        ("bearer  abc", "abc", True),
        ("Basic abc", "abc", False),
        ("Bearer abcd", "abc", False),
        ("Bearer ä", "abc", False),
        ("", "abc", False),
        ("", None, True),
    ],
)
def test_only_the_right_bearer_token_opens(header: str, token: str | None, *, allowed: bool) -> None:
    assert is_authorized(header, token) is allowed
