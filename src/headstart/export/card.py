"""The card of a policy on the Hugging Face Hub: ``README.md`` with what the Hub reads of it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headstart.export.contract import contract_of, env_name_of
from headstart.policy import Policy
from headstart.text import counted, printable
from headstart.training.evaluation import EvalResult


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a card says of a policy besides the policy."""

    files: Sequence[str]
    """Names of the files beside the card."""
    command: str | None = None
    """The line that trains it again."""
    evaluation: EvalResult | None = None
    """Of episodes that did not choose the policy."""
    row: Mapping[str, float] = field(default_factory=dict)
    """The metrics of its run when it was saved."""


def card_of(policy: Policy, facts: Facts) -> str:
    """Return the content of ``README.md``."""
    env_id = env_name_of(policy)
    parts = [
        _head(policy, facts),
        f"# {_plain(env_id)}: a policy of headstart",
        "Trained by headstart: DDPG + hindsight experience replay + demonstrations.",
        "![Success rate and mean Q against env steps](curve.png)" * ("curve.png" in facts.files),
        _results(policy, facts),
        _use(facts),
        _contract(policy),
        _training(policy, facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(policy: Policy, facts: Facts) -> str:
    """Return the YAML at the top, in which every text is a JSON string."""
    env_id = env_name_of(policy)
    tags = ["reinforcement-learning", "robotics", env_id, "hindsight-experience-replay", "ddpg"]
    lines = ["library_name: headstart", "pipeline_tag: reinforcement-learning", "tags:"]
    lines += [f"- {json.dumps(tag)}" for tag in tags]
    rate, how = _success(policy, facts)
    if rate is not None:
        text = json.dumps(env_id)
        lines += [
            "model-index:",
            f"- name: {json.dumps(f'headstart {env_id}')}",
            "  results:",
            "  - task: {type: reinforcement-learning, name: reinforcement-learning}",
            f"    dataset: {{name: {text}, type: {text}}}",
            "    metrics:",
            f"    - {{type: success_rate, value: {rate:.4f}, name: {json.dumps(how)}}}",
        ]
    return "\n".join(["---", *lines, "---"])


def _success(policy: Policy, facts: Facts) -> tuple[float | None, str]:
    """Return the success rate and how it was measured."""
    if facts.evaluation is not None:
        it = facts.evaluation
        return it.success_rate, f"success rate, {it.episodes} greedy episodes, seed {it.seed}"
    rate = policy.metadata.get("success_rate")
    episodes = policy.metadata.get("evaluation_episodes")
    if not isinstance(rate, int | float) or not 0.0 <= rate <= 1.0:
        return None, ""
    number = counted(episodes, "episode") if isinstance(episodes, int) else "the episodes"
    return float(rate), f"success rate in {number} of its run, by which the policy was chosen"


def _results(policy: Policy, facts: Facts) -> str:
    rate, how = _success(policy, facts)
    if rate is None:
        return ""
    rows = [(f"{how[0].upper()}{how[1:]}", f"{rate:.1%}")]
    if facts.evaluation is not None:
        low, high = facts.evaluation.interval
        rows.append(("95% interval", f"{low:.1%} to {high:.1%}"))
        rows += [
            (f"goals: {_plain(name)} ({counted(part.episodes, 'episode')})",
             f"{part.success_rate:.1%}")
            for name, part in facts.evaluation.parts.items()
        ]  # fmt: skip
        if facts.evaluation.steps_to_success is not None:
            rows.append(("median env steps to success", f"{facts.evaluation.steps_to_success:.0f}"))
    else:
        prefix = "eval/success_rate_"
        rows += [
            (f"goals: {_plain(name.removeprefix(prefix))}", f"{value:.1%}")
            for name, value in facts.row.items()
            if name.startswith(prefix)
        ]
    return "## Results\n\n" + _table(("", "success"), rows)


def _use(facts: Facts) -> str:
    lines = [
        "## Use",
        "",
        "With headstart, which needs numpy alone for it, and no torch:",
        "",
        "```python",
        "from headstart import load_policy",
        "",
        'policy = load_policy("policy.safetensors")',
        "action = policy(observation)  # the observation dict of the environment, one or a batch",
        "```",
        "",
        "`headstart evaluate policy.safetensors --episodes 500` measures it, and "
        "`headstart play policy.safetensors --video play.mp4` shows it.",
    ]
    if "policy.onnx" in facts.files:
        lines += ["", "`policy.onnx` is the same for any ONNX runtime."]
    return "\n".join(lines)


def _contract(policy: Policy) -> str:
    contract = contract_of(policy)
    rows = [
        (f"`{each['name']}`", f"(batch, {each['shape'][1]}) float32", meaning)
        for each, meaning in zip(
            contract["inputs"] + contract["outputs"],
            [
                *["as the environment gives it"] * 3,
                f"as the environment takes it; low {_numbers(policy.action_low)}, "
                f"high {_numbers(policy.action_high)}",
            ],
            strict=True,
        )
    ]
    return (
        "## Contract\n\n"
        + _table(("name", "shape", "units"), rows)
        + f"\n\nInside: {contract['inside']}. Nothing is to be normalised or scaled outside."
    )


def _training(policy: Policy, facts: Facts) -> str:
    metadata, rows = policy.metadata, []
    demos = metadata.get("demos")
    if isinstance(demos, Mapping) and isinstance(demos.get("episodes"), int):
        rows.append(("demonstrations", str(demos["episodes"])))
    if isinstance(metadata.get("env_steps"), int):
        rows.append(("env steps", f"{metadata['env_steps']:,}"))
    versions = metadata.get("versions")
    if isinstance(versions, Mapping):
        named = ", ".join(f"{name} {version}" for name, version in versions.items())
        rows.append(("versions", _plain(named)))
    parts = [_table(("", ""), rows)] if rows else []
    if facts.command is not None:
        parts.append(f"Trained again by:\n\n```\n{printable(facts.command, longest=None)}\n```")
    return "\n\n".join(["## Training", *parts]) if parts else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _numbers(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _plain(text: str) -> str:
    """Return text of a file so that Markdown and HTML show it and do not obey it."""
    return re.sub(r"([\\`*_{}\[\]<>()#|!&])", r"\\\1", printable(text, longest=400))
