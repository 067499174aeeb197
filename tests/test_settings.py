"""Settings convert what means the same, and refuse the rest by name and value."""

import json
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest
import torch
from builders import is_one_line
from small_runs import POINT, SMALL

from headstart.agents.config import DDPGConfig
from headstart.cli.main import parse
from headstart.cli.train import settings_of
from headstart.errors import InputError
from headstart.files.strict_json import build, parse_json
from headstart.presets import PRESETS
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.settings import check_settings, convert
from headstart.training.config import TrainConfig


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (int, 2e3, 2000),
        (int, np.int64(7), 7),
        (int, np.uint8(7), 7),
        (int, np.float32(16.0), 16),
        (int, np.array(3), 3),
        (int, torch.tensor(3), 3),
        (int, Fraction(4, 2), 2),
        (float, 1, 1.0),
        (float, np.float32(0.5), 0.5),
        (float, torch.tensor(0.5), 0.5),
        (float, float("inf"), float("inf")),
        (bool, np.bool_(True), True),
        (str, np.str_("text"), "text"),
        (Literal["min", "mean"], np.str_("mean"), "mean"),
        (int | None, None, None),
        (int | None, 5.0, 5),
        (float | Literal["auto"], "auto", "auto"),
        (float | Literal["auto"], 2, 2.0),
        (int | bool, True, True),
        (tuple[int, ...], [16, 16.0], (16, 16)),
        (tuple[int, ...], np.array([16, 32]), (16, 32)),
        (tuple[int, ...], range(2), (0, 1)),
        (tuple[float, float], [0, np.float64(1)], (0.0, 1.0)),
        (list[int], (1, 2), [1, 2]),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (Any, "anything", "anything"),
    ],
)
def test_what_means_the_same_is_converted(kind, given, kept):
    converted = convert(kind, given, "name")
    assert converted == kept
    assert type(converted) is type(kept)
    assert repr(converted) == repr(kept)


@pytest.mark.parametrize(
    ("kind", "given", "reason"),
    [
        (int, 120.5, "an integer, got 120.5"),
        (int, "5", "an integer, got '5'"),
        (int, True, "an integer, got True"),
        (int, None, "an integer, got None"),
        (int, float("inf"), "an integer, got inf"),
        (int, float("nan"), "an integer, got nan"),
        (int, 2**63, "an integer of 64 bits, got 9223372036854775808"),
        (int, 1e30, "an integer of 64 bits, got 1e+30"),
        (int, np.array([3]), "an integer, got array([3])"),
        (int, 1 + 0j, "an integer, got (1+0j)"),
        (int, 10**5000, "an integer of 64 bits, got int"),
        (float, "0.1", "a number, got '0.1'"),
        (float, False, "a number, got False"),
        (float, float("nan"), "a number, got nan"),
        (float, 10**400, "a number, got 1000000"),
        (bool, "no", "True or False, got 'no'"),
        (bool, 0, "True or False, got 0"),
        (bool, np.int64(1), "True or False, got 1"),
        (str, 3, "text, got 3"),
        (Literal["min", "mean"], "max", "one of min, mean, got 'max'"),
        (Literal["min", "mean"], ["min"], "one of min, mean, got ['min']"),
        (int | None, "none", "an integer or None, got 'none'"),
        (float | Literal["auto"], "automatic", "a number or one of auto, got 'automatic'"),
        (tuple[int, ...], 16, "a list of integers, got 16"),
        (tuple[int, ...], "16", "a list of integers, got '16'"),
        (tuple[int, ...], {16}, "a list of integers, got {16}"),
        (tuple[int, ...], [16, 0.5], "an integer, got 0.5"),
        (tuple[float, float], [1.0], "a list of 2 numbers, got [1.0]"),
        (dict[str, float], [], "a dict, got []"),
        (DDPGConfig, {"tau": 1}, "a DDPGConfig, got {'tau': 1}"),
        (int, "x" * 500, "an integer, got 'xxxx"),
        (int, np.zeros((9, 9)), "an integer, got array"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_of_another_type_is_refused_in_one_short_line(kind, given, reason):
    with pytest.raises(InputError) as caught:
        convert(kind, given, "name")
    assert str(caught.value).startswith(f"name must be {reason}")
    assert is_one_line(str(caught.value))
    assert len(str(caught.value)) < 200


def test_a_section_of_any_settings_is_checked_by_one_line():
    @dataclass(frozen=True)
    class Section:
        sizes: tuple[int, ...] = (1,)
        limit: float | None = None

        def __post_init__(self):
            check_settings(self, "section.")

    assert Section([2.0], np.float32(0.5)) == Section((2,), 0.5)
    with pytest.raises(InputError, match=r"^section\.limit must be a number or None, got 'x'"):
        Section(limit="x")


SECTIONS = [TrainConfig(), *(v for v in vars(TrainConfig()).values() if is_dataclass(v))]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: type(section).__name__)
def test_every_field_of_every_section_refuses_what_no_setting_is(section):
    for field in fields(section):
        with pytest.raises(InputError, match=rf"(^|\.){field.name} must be .*, got <object"):
            replace(section, **{field.name: object()})


def numpy_like(value):
    """The same settings as somebody would write them who thinks in floats, arrays and lists."""
    if is_dataclass(value):
        return replace(value, **{f.name: numpy_like(getattr(value, f.name)) for f in fields(value)})
    if isinstance(value, tuple):
        return [float(each) for each in value]
    return float(value) if type(value) is int else np.asarray(value)[()] if value else value


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_settings_of_numpy_are_the_same_settings_and_come_back_from_a_file(preset):
    config = PRESETS[preset]
    written = json.dumps(asdict(numpy_like(config)))
    assert numpy_like(config) == config
    assert build(TrainConfig, parse_json(written)) == config
    as_floats = written.replace('"seed": 0', '"seed": 0.0')
    assert build(TrainConfig, parse_json(as_floats)) == config


def test_what_trains_can_be_resumed(tmp_path):
    config = replace(
        SMALL,
        env_steps=6e1,
        seed=np.int64(3),
        batch_size=np.float64(16),
        agent=DDPGConfig(hidden_sizes=[8, 8.0], actor_lr=np.float32(1e-3)),
    )
    train(POINT, config, out=tmp_path / "run", collectors=np.int64(0))
    assert resume(tmp_path / "run", config).progress.env_steps == 60
    assert resume(tmp_path / "run").progress.env_steps == 60


@pytest.mark.parametrize(("given", "kept"), [("2e3", 2000), ("2000.0", 2000), ("7", 7)])
def test_an_option_takes_whole_numbers_however_they_are_written(given, kept):
    assert settings_of(parse(["train", "ENV", "--env-steps", given])).env_steps == kept


@pytest.mark.parametrize("given", ["120.5", "abc", "1e400", "nan", "True"])
def test_an_option_refuses_other_numbers_as_python_does(given):
    with pytest.raises(InputError, match=f"--env-steps: must be an integer, got {given}"):
        parse(["train", "ENV", "--env-steps", given])
