"""What holds for every check, and for those that break."""

import pytest

from headstart.doctor.check import Check
from headstart.doctor.examination import examine


@pytest.mark.parametrize(
    ("status", "repair"), [("ok", "do this"), ("advice", None), ("problem", None)]
)
def test_there_is_something_to_do_exactly_when_it_is_not_ok(status, repair):
    with pytest.raises(ValueError, match=f"thing: status {status} with repair"):
        Check("thing", status, "found", repair)


def test_a_check_that_breaks_is_a_problem_and_the_others_still_report(tmp_path, monkeypatch):
    metadata = tmp_path / "headstart-0.1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Name: headstart\nVersion: 0.1.0\nRequires-Python: ~=3.11\n")
    monkeypatch.syspath_prepend(tmp_path)
    checks = examine("PointReach-v0")
    broken, fine = next(checks), next(checks)
    assert (broken.name, broken.status) == ("python", "problem")
    assert broken.found.startswith("could not be checked (ValueError(")
    assert (fine.name, fine.status) == ("headstart", "ok")
