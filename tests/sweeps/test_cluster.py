"""Runs as jobs of submitit: of its local executor, which has Slurm's interface without Slurm."""

import pytest
from small_runs import POINT, SMALL
from waiting import wait_until

from headstart.sweeps.plan import Grid
from headstart.sweeps.slurm import ClusterRuns
from headstart.sweeps.spec import Base

pytestmark = pytest.mark.slow

CONFIG = SMALL.with_({"demos.find": 0, "env_steps": 100})


def test_a_job_is_found_again_after_a_kill_and_leaves_an_ordinary_run(tmp_path):
    submitit = pytest.importorskip("submitit")
    sweep, plan = tmp_path / "sweep", Grid(base=Base(env_id=POINT, config=CONFIG), seeds=[0])
    (sweep / "jobs").mkdir(parents=True)
    executor = submitit.LocalExecutor(sweep / "jobs" / "jobs")
    (spec,) = plan.more(())
    first, again = (ClusterRuns(executor).start(spec, sweep) for _ in range(2))
    assert len(list((sweep / "jobs" / "jobs").glob("*_submitted.pkl"))) == 1
    wait_until(lambda: again.ended())
    assert "ended" in first.ended()
    assert (sweep / "seed0" / "policies" / "best.safetensors").exists()
    assert "env steps 120" in (sweep / "jobs" / "seed0.log").read_text()
