"""The page of settings is the one that ``make docs`` would write now."""

import re
import runpy
from pathlib import Path

from headstart.dotted import walk
from headstart.presets import PRESETS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "settings.md").read_text()


def test_the_table_of_settings_is_up_to_date():
    table = runpy.run_path(str(ROOT / "benchmarks" / "report_settings.py"))["settings_table"]()
    assert f"<!-- settings -->\n{table}\n<!-- /settings -->" in PAGE, "run make docs"


def test_every_setting_has_a_row_and_says_what_it_does():
    for setting in walk(PRESETS["fast"]):
        (row,) = re.findall(rf"^\| `{re.escape(setting.name)}` \|.*$", PAGE, flags=re.M)
        assert len(setting.help) > 10
        assert setting.help.replace("|", "\\|") in row
