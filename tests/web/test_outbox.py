import struct

from headstart.web.outbox import Outbox


def sent(outbox):
    found = []
    while (content := outbox.next()) is not None:
        found.append(content)
    return found


def test_a_slow_page_gets_the_newest_picture_of_each_view_and_every_word():
    outbox = Outbox()
    for number in range(5):
        outbox.show(0, b"front %d" % number)
        outbox.show(1, b"side %d" % number)
        outbox.say(f"word {number}")
    words, pictures = sent(outbox)[:5], sent(outbox)
    assert words == [f"word {number}" for number in range(5)]
    assert pictures == []


def test_pictures_wait_until_the_page_has_drawn_those_on_the_way():
    outbox = Outbox()
    for number in range(10):
        outbox.show(0, b"%d" % number)
        outbox.next()
    outbox.show(0, b"newest")
    assert outbox.next() is None
    outbox.saw(1)
    assert outbox.next() == struct.pack("<IB", 4, 0) + b"newest"


def test_a_page_cannot_have_seen_what_was_never_sent():
    outbox = Outbox()
    outbox.saw(10**9)
    for _ in range(3):
        outbox.show(0, b"picture")
        assert outbox.next() is not None
    outbox.show(0, b"picture")
    assert outbox.next() is None


def test_a_page_that_takes_no_words_at_all_is_too_slow():
    outbox = Outbox()
    in_time = [outbox.say("word") for _ in range(300)]
    assert in_time[0]
    assert not in_time[-1]
