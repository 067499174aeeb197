"""The table of all settings in ``docs/settings.md``, made by the walk that makes their options."""

import re
from inspect import getdoc
from itertools import groupby
from typing import Any, Literal, get_args, get_origin

from headstart.dotted import Setting, walk
from headstart.presets import PRESETS
from headstart.settings import kind_in_words

ON_RESUME = {"free": "free", "allow-change": "`--allow-change`", "fixed": "fixed"}


def settings_table() -> str:
    """One table a section; of the other presets only what differs from ``fast``."""
    rows = zip(*map(walk, PRESETS.values()), strict=True)
    text: list[str] = []
    for section, members in groupby(rows, lambda row: row[0].section):
        first, *others = members
        title = first[0].name.rpartition(".")[0]
        about = " ".join((getdoc(section) or "").split())
        text += [f"### {f'`{title}`' if title else 'The whole run'}", "", about, ""]
        text += [
            f"| setting | {' | '.join(PRESETS)} | may be | on resume | |",
            "|---" * (len(PRESETS) + 4) + "|",
        ]
        text += [row_of(row) for row in (first, *others)] + [""]
    return "\n".join(text).rstrip()


def row_of(settings: tuple[Setting, ...]) -> str:
    """A setting, as it is in each preset."""
    first = settings[0]
    values = [shown(it.value) if it is first or it.value != first.value else "" for it in settings]
    cells = [f"`{first.name}`", *values, range_of(first), ON_RESUME[first.rule.resume], first.help]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def shown(value: Any) -> str:
    """A value as an option takes it."""
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{text or 'none'}`"


def range_of(setting: Setting) -> str:
    """What a setting may be."""
    if get_origin(setting.kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(setting.kind))
    limits = re.sub(r"^must |lie |be ", "", setting.rule.range)
    return ", ".join(filter(None, (kind_in_words(setting.kind), limits)))
