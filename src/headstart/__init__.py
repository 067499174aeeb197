"""A handful of demonstrations and a sparse goal reward become a robot policy.

Public names are imported on first use, so that a collector process, or a robot that only runs a
policy, never loads torch.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.agents.config import DDPGConfig as DDPGConfig
    from headstart.agents.ddpg import DDPG as DDPG
    from headstart.data.batch import Batch as Batch
    from headstart.data.episode import Episode as Episode
    from headstart.data.goals import GoalRegions as GoalRegions
    from headstart.data.hindsight import HindsightSampler as HindsightSampler
    from headstart.data.layout import ComponentLayout as ComponentLayout
    from headstart.data.layout import StateLayout as StateLayout
    from headstart.data.mixture import MixedSampler as MixedSampler
    from headstart.data.replay import EpisodeReplay as EpisodeReplay
    from headstart.data.symmetry import Reflection as Reflection
    from headstart.demos.expansion.expand import expand_demos as expand_demos
    from headstart.demos.experts import expert_for as expert_for
    from headstart.demos.finding.find import find_demos as find_demos
    from headstart.demos.inspect import inspect_demos as inspect_demos
    from headstart.demos.record import collect_demos as collect_demos
    from headstart.demos.storage import DemoSet as DemoSet
    from headstart.demos.storage import load_demos as load_demos
    from headstart.demos.storage import save_demos as save_demos
    from headstart.envs.check import EnvReport as EnvReport
    from headstart.envs.check import check_env as check_env
    from headstart.envs.contract import check_goal_env as check_goal_env
    from headstart.envs.goal_env import GoalReward as GoalReward
    from headstart.envs.goal_env import GoalSpec as GoalSpec
    from headstart.envs.make import make_env as make_env
    from headstart.envs.task import TaskConfig as TaskConfig
    from headstart.errors import InputError as InputError
    from headstart.errors import RunError as RunError
    from headstart.export.policy import export_policy as export_policy
    from headstart.integrations.transitions import (
        HindsightExperienceReplay as HindsightExperienceReplay,
    )
    from headstart.policy import Policy as Policy
    from headstart.policy import load_policy as load_policy
    from headstart.presets import PRESETS as PRESETS
    from headstart.rollout.executors import Executor as Executor
    from headstart.rollout.exploration import Exploration as Exploration
    from headstart.rollout.job import EpisodeJob as EpisodeJob
    from headstart.rollout.job import run_episode as run_episode
    from headstart.rollout.task_source import EpisodeTask as EpisodeTask
    from headstart.rollout.task_source import Start as Start
    from headstart.rollout.task_source import TaskSource as TaskSource
    from headstart.runs.resume import resume as resume
    from headstart.runs.train import train as train
    from headstart.training.config import CheckpointConfig as CheckpointConfig
    from headstart.training.config import CycleConfig as CycleConfig
    from headstart.training.config import DemosConfig as DemosConfig
    from headstart.training.config import EvaluationConfig as EvaluationConfig
    from headstart.training.config import FailuresConfig as FailuresConfig
    from headstart.training.config import HindsightConfig as HindsightConfig
    from headstart.training.config import LearnerConfig as LearnerConfig
    from headstart.training.config import ResetsConfig as ResetsConfig
    from headstart.training.config import TrainConfig as TrainConfig
    from headstart.training.config import WarmStartConfig as WarmStartConfig
    from headstart.training.evaluation import EvalResult as EvalResult
    from headstart.training.evaluation import evaluate as evaluate
    from headstart.training.observer import Observer as Observer
    from headstart.training.observer import RunHandle as RunHandle
    from headstart.training.observer import RunInterrupted as RunInterrupted
    from headstart.training.observer import TrainResult as TrainResult
    from headstart.training.progress import Progress as Progress
    from headstart.viz.plots import plot_runs as plot_runs
    from headstart.viz.report.page import write_report as write_report
    from headstart.viz.video import record_video as record_video

_MODULES = {
    "agents.config": ("DDPGConfig",),
    "agents.ddpg": ("DDPG",),
    "data.batch": ("Batch",),
    "data.episode": ("Episode",),
    "data.goals": ("GoalRegions",),
    "data.hindsight": ("HindsightSampler",),
    "data.layout": ("ComponentLayout", "StateLayout"),
    "data.mixture": ("MixedSampler",),
    "data.replay": ("EpisodeReplay",),
    "data.symmetry": ("Reflection",),
    "demos.experts": ("expert_for",),
    "demos.expansion.expand": ("expand_demos",),
    "demos.finding.find": ("find_demos",),
    "demos.inspect": ("inspect_demos",),
    "demos.record": ("collect_demos",),
    "demos.storage": ("DemoSet", "load_demos", "save_demos"),
    "envs.check": ("EnvReport", "check_env"),
    "envs.contract": ("check_goal_env",),
    "envs.goal_env": ("GoalReward", "GoalSpec"),
    "envs.make": ("make_env",),
    "envs.task": ("TaskConfig",),
    "errors": ("InputError", "RunError"),
    "export.policy": ("export_policy",),
    "integrations.transitions": ("HindsightExperienceReplay",),
    "policy": ("Policy", "load_policy"),
    "presets": ("PRESETS",),
    "rollout.executors": ("Executor",),
    "rollout.exploration": ("Exploration",),
    "rollout.job": ("EpisodeJob", "run_episode"),
    "rollout.task_source": ("EpisodeTask", "Start", "TaskSource"),
    "runs.resume": ("resume",),
    "runs.train": ("train",),
    "training.config": (
        "CheckpointConfig",
        "CycleConfig",
        "DemosConfig",
        "EvaluationConfig",
        "FailuresConfig",
        "HindsightConfig",
        "LearnerConfig",
        "ResetsConfig",
        "TrainConfig",
        "WarmStartConfig",
    ),
    "training.evaluation": ("EvalResult", "evaluate"),
    "training.observer": ("Observer", "RunHandle", "RunInterrupted", "TrainResult"),
    "training.progress": ("Progress",),
    "viz.plots": ("plot_runs",),
    "viz.report.page": ("write_report",),
    "viz.video": ("record_video",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)
__version__ = "0.1.0"


if "gymnasium" in sys.modules:  # Otherwise nobody can ask it for them yet.
    importlib.import_module("headstart.envs.stack")


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'headstart' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"headstart.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
