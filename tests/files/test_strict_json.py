import json
from dataclasses import asdict, dataclass, replace
from typing import Literal

import pytest

from headstart.files.strict_json import build, parse_json, plain
from headstart.presets import PRESETS
from headstart.training.config import TrainConfig


@dataclass(frozen=True)
class Inner:
    number: int
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    sizes: tuple[int, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    choice: Literal["left", "right"] = "left"
    optional: int | None = None
    flags: dict[str, bool] | None = None


CONTENT = {
    "name": "n",
    "inner": {"number": 3, "share": 1},
    "sizes": [4, 5],
    "pair": [1, 2.5],
    "choice": "right",
    "optional": None,
    "flags": {"a": True},
}


def test_a_dataclass_is_built_with_its_parts():
    expected = Outer("n", Inner(3, 1.0), (4, 5), (1.0, 2.5), "right", None, {"a": True})
    built = build(Outer, CONTENT)
    assert built == expected
    assert type(built.inner.share) is float


def test_what_is_left_out_is_as_by_default():
    assert build(Outer, {"name": "n", "inner": {"number": 0}}) == Outer("n", Inner(0))


def test_what_is_left_out_is_refused_where_all_is_asked_for():
    whole = {**CONTENT, "inner": {"number": 3}}
    with pytest.raises(ValueError, match=r"^inner\.share is missing$"):
        build(Outer, whole, whole=True)
    assert build(Outer, CONTENT, whole=True) == build(Outer, CONTENT)


class Text:
    """A class that writes and reads itself."""

    def __init__(self, text):
        self.text = text

    def to_json(self):
        return [self.text]

    @classmethod
    def from_json(cls, content):
        return cls(*content)


@dataclass
class Holder:
    texts: dict[str, Text]
    pairs: list[tuple[int, float]]


def test_what_is_made_plain_is_built_again():
    content = plain(Holder({"a": Text("x")}, [(1, 0.5)]))
    assert content == {"texts": {"a": ["x"]}, "pairs": [[1, 0.5]]}
    again = build(Holder, content)
    assert (again.texts["a"].text, again.pairs) == ("x", [(1, 0.5)])


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_settings_come_back_as_they_were_written(preset):
    config = PRESETS[preset]
    config = replace(config, agent=replace(config.agent, output_clip=float("inf")))
    assert build(TrainConfig, parse_json(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"color": 1}, "unknown key color"),
        ({"inner": {"number": 1, "x": 2}}, "unknown key inner.x"),
        ({"inner": {}}, "inner.number is missing"),
        ({"inner": None}, "inner must be an object, got None"),
        ({"inner": {"number": 1.5}}, "inner.number must be an integer, got 1.5"),
        ({"inner": {"number": True}}, "inner.number must be an integer, got True"),
        ({"inner": {"number": "1"}}, "inner.number must be an integer, got '1'"),
        ({"inner": {"number": 2**63}}, "inner.number must be an integer of 64 bits, got 9223"),
        ({"inner": {"number": 1, "share": 10**400}}, "inner.share must be a number, got 1000"),
        ({"name": 3}, "name must be text, got 3"),
        ({"sizes": 3}, "sizes must be a list, got 3"),
        ({"sizes": [1, "2"]}, "sizes must be an integer, got '2'"),
        ({"pair": [1.0]}, "pair must be a list of 2"),
        ({"choice": "up"}, "choice must be one of left, right, got 'up'"),
        ({"optional": []}, "optional must be an integer"),
        ({"flags": {"a": 1}}, "flags.a must be True or False, got 1"),
        ({"name": None}, "name must be text, got None"),
    ],
)
def test_a_value_of_another_form_is_refused_by_name(change, expected):
    with pytest.raises(ValueError, match="^" + expected.replace(".", r"\.")):
        build(Outer, {**CONTENT, **change})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e400}', "beyond the range"),
        (b'{"a": 1, "a": 2}', "a key twice"),
        (b"[" * 100 + b"]" * 100, "deeper than 32"),
        (b"[" * 100_000, "deeper than 32"),
        (b'{"a":' * 50_000, "deeper than 32"),
        (b"\xff\xfe{\x00}\x00", "decode"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"", "^not JSON: Expecting value"),
        (b'{"a": 1} x', "Extra data"),
        (b'"' + b"x" * 1000 + b'"', "1002 bytes of JSON, more than 1000"),
        (b"1" * 5000, "more than 1000"),
    ],
)
def test_json_that_is_not_strict_is_refused(text, expected):
    with pytest.raises(ValueError, match=expected):
        parse_json(text, max_bytes=1000 if len(text) < 10_000 and expected[0] != "d" else 2**20)


def test_an_integer_of_too_many_digits_is_refused():
    with pytest.raises(ValueError, match="digits"):
        parse_json(b"1" * 5000)
