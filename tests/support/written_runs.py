"""Run directories without a run: a record and rows of metrics."""

import json

from headstart.presets import PRESETS
from headstart.runs.record import RunRecord, current_versions


def write_run(directory, rates, *, env_id="PointReach-v0", demos=None, **changes):
    directory.mkdir(parents=True)
    config = PRESETS["fast"].with_(changes)
    record = RunRecord(env_id=env_id, config=config, demos=demos, versions=current_versions())
    record.write(directory)
    rows = [
        {
            "time/env_steps": 100 * index,
            "eval/success_rate": rate,
            "eval/mean_q": -rate,
            "eval/success_rate_air": rate / 2,
        }
        for index, rate in enumerate(rates)
    ]
    (directory / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return directory
