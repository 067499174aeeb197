import io
import sys

import pytest

from headstart.standard_streams import open_standard_streams


@pytest.mark.parametrize(
    ("encoding", "errors", "shown"),
    [
        ("ascii", "strict", rb"zweiter-lauf-\xfc \udcff"),
        ("utf-8", "strict", "zweiter-lauf-ü \\udcff".encode()),
        ("utf-8", "surrogateescape", "zweiter-lauf-ü ".encode() + b"\xff"),
    ],
)
def test_any_name_of_a_file_can_be_printed(monkeypatch, encoding, errors, shown):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, errors))
    open_standard_streams()
    print("zweiter-lauf-ü \udcff", end="", flush=True)
    assert written.getvalue() == shown


def test_what_is_not_a_text_file_is_left_alone(monkeypatch):
    """A notebook has streams of its own."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    open_standard_streams()
