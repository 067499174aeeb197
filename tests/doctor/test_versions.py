"""Which versions fit, held to ``packaging``; what headstart asks for, read from metadata."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from headstart.doctor.versions import fits, required_modules, required_python, requirements

RELEASES = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(
    lambda numbers: ".".join(map(str, numbers))
)
CLAUSES = st.builds("{}{}".format, st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]), RELEASES)


@given(RELEASES, st.lists(CLAUSES, max_size=3))
def test_releases_fit_as_packaging_says(version, clauses):
    wanted = ",".join(clauses)
    assert fits(version, wanted) == SpecifierSet(wanted).contains(version)


@given(RELEASES, CLAUSES)
def test_local_builds_fit_as_packaging_says(version, clause):
    assert fits(f"{version}+cpu", clause) == SpecifierSet(clause).contains(f"{version}+cpu")


@pytest.mark.parametrize(
    ("version", "wanted", "expected"),
    [
        ("3.11.0", "<3.12,>=3.8.1", True),
        ("3.12.0", "<3.12,>=3.8.1", False),
        ("3.8", "<3.12,>=3.8.1", False),
        ("3.12.0rc1", "<3.12", False),
        ("2.10", ">= 2.9", True),
        ("1.0", "", True),
    ],
)
def test_numbers_are_compared_and_suffixes_are_not(version, wanted, expected):
    assert fits(version, wanted) == expected


@pytest.mark.parametrize(("version", "wanted"), [("1.0", "~=1.0"), ("unknown", ">=1.0")])
def test_what_cannot_be_read_is_refused(version, wanted):
    with pytest.raises(ValueError, match="cannot"):
        fits(version, wanted)


def test_all_that_headstart_asks_for_can_be_compared():
    assert fits("3.11.7", required_python())
    assert {"torch", "mujoco", "gymnasium-robotics", "pillow"} <= requirements().keys()
    for wanted in requirements().values():
        fits("1.0", wanted)


def test_extras_are_left_out(tmp_path, monkeypatch):
    metadata = tmp_path / "headstart-9.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(
        "Metadata-Version: 2.4\nName: headstart\nVersion: 9\nRequires-Python: >=3.99\n"
        "Requires-Dist: pillow >=11\nRequires-Dist: a-b>=1,<2; python_version > '3'\n"
        "Requires-Dist: bare\nRequires-Dist: pytest>=9; extra == 'dev'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert requirements() == {"a-b": ">=1,<2", "bare": "", "pillow": ">=11"}
    assert required_modules() == {"a-b": "a_b", "bare": "bare", "pillow": "PIL"}
    assert required_python() == ">=3.99"
