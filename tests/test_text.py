import pytest

from headstart.text import counted, printable


@pytest.mark.parametrize(("number", "expected"), [(0, "0 goals"), (1, "1 goal"), (2, "2 goals")])
def test_one_thing_is_not_a_plural(number, expected):
    assert counted(number, "goal") == expected


def test_untrusted_text_becomes_one_line_that_steers_no_terminal():
    assert printable("two\nlines\r\nthree\u2028four") == "two lines three four"
    assert printable("\x1b[31mred\x07\u202e") == "?[31mred??"
    assert printable("näh 🤖") == "näh 🤖"
    assert printable(3) == "3"


def test_long_text_is_cut_unless_all_of_it_is_wanted():
    assert len(printable("x" * 1000)) == 200
    assert printable("x" * 1000).endswith("x...")
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 1000, longest=None) == "x" * 1000
