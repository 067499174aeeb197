"""DDPG with hindsight goals and demonstrations: the published algorithm and the modern one."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.agents import losses
from headstart.agents.adam import Adam
from headstart.agents.config import DDPGConfig
from headstart.agents.device import send
from headstart.agents.inputs import Inputs, NetworkInputs
from headstart.agents.learners import Learners, Shards
from headstart.agents.networks import FIRST, OTHERS, Actor, Critics
from headstart.agents.passes import ActorPass, CriticPass
from headstart.data.batch import Batch, NumpyBatch
from headstart.data.component_inputs import ComponentInputs
from headstart.data.inputs import InputMap
from headstart.policy import Policy, inner_bounds

Metrics = dict[str, Tensor]
Timed = Callable[[str, Callable[..., Any]], Callable[..., Any]]
"""What gives a function back as one that is timed under a name."""

Gradients = tuple[list[Tensor], list[Tensor], Metrics]
"""The actor's, none where it stays as it is, the critics' likewise, and metrics."""

_PARTS = {
    "inputs": "_inputs",
    "targets": "_target",
    "critics": "_critic_gradients",
    "actor": "_actor_gradients",
    "averaging": "_follow",
}


class DDPG:
    """One actor, ``K`` critics and their slowly following target copies.

    Args:
        config: see ``DDPGConfig``.
        observation_dim, goal_dim: widths of the vectors the agent sees.
        action_low, action_high: bounds of the actions, ``(action_dim,)``, in the env's units;
            rounded inwards to float32.
        reward_range: least and greatest reward of one step, infinite where there is no bound.
        seed: of the initial weights.
        actor_inputs: what the actor sees; by default what the critics see, which is the whole
            observation and the goal as ``config.goal_input`` says.
        device: where it computes.
        learners: who makes every update together; this agent alone by default.
    """

    def __init__(
        self,
        config: DDPGConfig,
        *,
        observation_dim: int,
        goal_dim: int,
        action_low: Iterable[float],
        action_high: Iterable[float],
        reward_range: tuple[float, float],
        seed: int,
        actor_inputs: InputMap | ComponentInputs | None = None,
        device: torch.device | str = "cpu",
        learners: Learners | None = None,
    ) -> None:
        self.config = config
        self.device = torch.device(device)
        self._learners = learners or Shards()
        self.observation_dim = observation_dim
        self.goal_dim = goal_dim
        bounds = inner_bounds(np.array(list(action_low)), np.array(list(action_high)))
        self.action_low, self.action_high = (
            send(torch.from_numpy(bound), self.device) for bound in bounds
        )
        self._action_center = (self.action_high + self.action_low) / 2
        self._action_half_range = (self.action_high - self.action_low) / 2
        self.hold_values(reward_range)
        self.updates = 0

        self.actor_inputs = actor_inputs
        self._seen = NetworkInputs(config, observation_dim, goal_dim, actor_inputs, self.device)
        self.moments = self._seen.moments
        self._build_networks(torch.Generator().manual_seed(seed))

    def hold_values(self, reward_range: tuple[float, float]) -> None:
        """Clip targets from now on to what rewards in ``reward_range`` allow, if so configured."""
        bounds = losses.value_bounds(reward_range, self.config.discount_for())
        self.target_bounds = bounds if self.config.clip_target else None

    def observe(self, batch: NumpyBatch) -> None:
        """Count the inputs of a batch into the normaliser."""
        if self.config.normalize_inputs:
            self._seen.observe(self._learners.union(batch))

    def refresh_normalizer(self) -> None:
        """Standardise with the moments as they are now."""
        self._seen.refresh()

    @torch.no_grad()
    def update(self, batch: Batch[Tensor]) -> Metrics:
        """One gradient step on the critics and, every ``actor_delay`` updates, one on the actor.

        Both gradients are taken at the same parameters before either step, as in baselines, so the
        critics' value of the demonstrated action serves the TD error and the Q-filter alike.
        """
        # Asked of the whole batch, on the host, where that costs nothing.
        shown = bool(self.config.bc_weight and batch.source.any())
        also_actor = self.updates % self.config.actor_delay == 0

        def gradients(part: Batch[Tensor]) -> Gradients:
            inputs, action = self._inputs_now(part), self._scaled_action(part)
            critics, values, metrics = self._critic_gradients(part, inputs, action)
            if not also_actor:
                return [], critics, metrics
            q_demo, margin = values, self.config.q_filter_margin
            if margin:
                # Critics that err by so much do not tell smaller differences.
                q_demo = values + margin * (metrics["critic_loss"] / len(values)).sqrt()
            actor, more = self._actor_gradients(part, inputs, action, q_demo=q_demo, shown=shown)
            return actor, critics, metrics | more

        metrics = self._learn(batch, gradients)
        self.updates += 1
        if self.config.target_update == "update":
            self._follow(*self._actor_pairs)
            self._follow(*self._critic_pairs)
        return metrics

    @torch.no_grad()
    def update_critics(self, batch: Batch[Tensor]) -> Metrics:
        """One gradient step on the critics alone: the warm start after cloning."""

        def gradients(part: Batch[Tensor]) -> Gradients:
            inputs, action = self._inputs_now(part), self._scaled_action(part)
            critics, _, metrics = self._critic_gradients(part, inputs, action)
            return [], critics, metrics

        metrics = self._learn(batch, gradients)
        self._follow(*self._critic_pairs)
        return metrics

    @torch.no_grad()
    def clone(self, batch: Batch[Tensor]) -> Metrics:
        """One step of behaviour cloning alone, without critics or filter: the warm start."""

        def gradients(part: Batch[Tensor]) -> Gradients:
            actor = ActorPass(self.actor, self._inputs_now(part).actor)
            actions = actor.action, self._scaled_action(part)
            is_demo = send(part.is_demo, self.device)
            rows, error = (is_demo, torch.ones_like(is_demo)), self.config.bc_error
            by_action = losses.bc_gradient(*actions, *rows, error)
            loss = losses.bc_loss(*actions, *rows, error)
            return actor.parameter_gradients(by_action), [], {"bc_loss": loss}

        metrics = self._learn(batch, gradients)
        self._follow(*self._actor_pairs)
        return metrics

    def end_cloning(self) -> None:
        """Make the averaged actor the clone: what it averages until then is mostly not cloned."""
        torch._foreach_copy_(*self._actor_pairs)

    def end_cycle(self) -> None:
        """Move the target networks if they move once per cycle."""
        if self.config.target_update == "cycle":
            self._follow(*self._actor_pairs)
            self._follow(*self._critic_pairs)

    def time_parts(self, timed: Timed) -> None:
        """Have each part of an update timed from now on; one within another counts once."""
        for name, method in _PARTS.items():
            setattr(self, method, timed(name, getattr(self, method)))
        for optimizer in self.optimizers.values():
            optimizer.step = timed("steps", optimizer.step)  # type: ignore[method-assign]

    @torch.no_grad()
    def values(self, observation: Tensor, achieved_goal: Tensor, desired_goal: Tensor) -> Tensor:
        """Return ``Q(s, pi(s))`` of the first critic and the deployed actor, ``(B,)``."""
        inputs = self._inputs(observation, achieved_goal, desired_goal)
        value: Tensor = self.critics(inputs.critic, self._deployed(inputs.actor), members=FIRST)[0]
        return value

    def policy(self, *, deployed: bool) -> Policy:
        """Return a numpy copy of the actor.

        Args:
            deployed: the actor that ``config.deploy`` names, or else the online one.
        """
        actor = self._deployed if deployed else self.actor
        return Policy(
            layers=tuple(
                (_copy(weight), _copy(bias))
                for weight, bias in zip(actor.weights, actor.biases, strict=True)
            ),
            mean=_copy(self._seen.mean[self._seen.actor_columns]),
            std=_copy(self._seen.std[self._seen.actor_columns]),
            input_clip=self.config.input_clip,
            output_clip=self._seen.output_clip,
            observation_dim=self.observation_dim,
            goal_dim=self.goal_dim,
            goal_input=self.config.goal_input,
            action_low=_copy(self.action_low),
            action_high=_copy(self.action_high),
            inputs=self.actor_inputs,
        )

    def _build_networks(self, generator: torch.Generator) -> None:
        config = self.config
        hidden, action_dim = config.hidden_sizes, len(self.action_low)
        actor = Actor(self._seen.actor_dim, hidden, action_dim, generator)
        critics = Critics(
            self._seen.critic_dim + action_dim,
            hidden,
            config.num_critics,
            generator,
            layer_norm=config.critic_layer_norm,
        )
        # Drawn on the CPU, so that they are the same everywhere.
        self.actor, self.critics = actor.to(self.device), critics.to(self.device)
        self.target_actor = copy.deepcopy(self.actor).requires_grad_(False)
        self.target_critics = copy.deepcopy(self.critics).requires_grad_(False)
        # Kept as lists: asking a module for its parameters walks the whole module each time.
        self._actor_parameters = list(self.actor.parameters())
        self._critic_parameters = list(self.critics.parameters())
        decay = config.actor_decay or 0.0
        self._actor_optimizer = Adam(self._actor_parameters, config.actor_lr, decay)
        self._critic_optimizer = Adam(self._critic_parameters, config.critic_lr)
        self.optimizers = {"actor": self._actor_optimizer, "critics": self._critic_optimizer}
        self._actor_pairs = _detached(self.target_actor), _detached(self.actor)
        self._critic_pairs = _detached(self.target_critics), _detached(self.critics)

    def _critic_gradients(
        self, batch: Batch[Tensor], inputs: Inputs, action: Tensor
    ) -> tuple[list[Tensor], Tensor, Metrics]:
        """Return the gradients, ``Q(s, a)``, ``(K, B)``, and metrics."""
        target = self._target(batch)
        critics = CriticPass(self.critics, inputs.critic, action)
        loss = losses.critic_loss(critics.values, target)
        gradients = critics.parameter_gradients(losses.critic_gradient(critics.values, target))
        return gradients, critics.values, {"critic_loss": loss}

    def _target(self, batch: Batch[Tensor]) -> Tensor:
        """Return what ``Q(s, a)`` should be, ``(B,)``, by the target networks."""
        inputs = self._inputs(batch.next_observation, batch.next_achieved_goal, batch.desired_goal)
        action = ActorPass(self.target_actor, inputs.actor).action
        values = CriticPass(self.target_critics, inputs.critic, action).values
        return losses.td_target(
            batch.reward,
            batch.terminated,
            losses.combine(values, self.config.combination_for()),
            discount=self.config.discount_for(),
            bounds=self.target_bounds,
        )

    def _actor_gradients(
        self,
        batch: Batch[Tensor],
        inputs: Inputs,
        demo_action: Tensor,
        *,
        q_demo: Tensor,
        shown: bool,
    ) -> tuple[list[Tensor], Metrics]:
        """Return the gradients and metrics.

        Args:
            batch: the rows.
            inputs: what networks see of them.
            demo_action: what was done in them, ``(B, action_dim)``.
            q_demo: the critics' ``Q(s, a)`` and the filter's margin, ``(K, B)``.
            shown: whether it was shown, in some of these rows or of those of other learners.
        """
        config = self.config
        actor = ActorPass(self.actor, inputs.actor)
        critic = CriticPass(self.critics, inputs.critic, actor.action, members=FIRST)
        value, action = critic.values[0], actor.action
        loss = losses.policy_loss(value, action, action_l2=config.action_l2)
        by_value, by_action = losses.policy_gradients(value, action, action_l2=config.action_l2)
        gradient = by_action + critic.action_gradient(by_value)
        metrics = {"actor_loss": loss, "mean_q": value.mean()}
        if shown:
            keep = self._keep(batch.is_demo, inputs, action, value, q_demo)
            is_demo = send(batch.is_demo, self.device)
            rows = (action, demo_action, is_demo, keep, config.bc_error)
            gradient = config.q_weight * gradient + config.bc_weight * losses.bc_gradient(*rows)
            metrics["bc_loss"] = losses.bc_loss(*rows)
            metrics["q_filter_pass_rate"] = (keep * is_demo).sum() / is_demo.sum().clamp(min=1.0)
        return actor.parameter_gradients(gradient), metrics

    def _keep(
        self, is_demo: Tensor, inputs: Inputs, action: Tensor, value: Tensor, q_demo: Tensor
    ) -> Tensor:
        """Return 0, ``(B,)``, where the filter drops a demonstration, if it acts by now."""
        keep = torch.ones_like(value)
        if not self.config.q_filter or self.updates < self.config.q_filter_from:
            return keep
        # The other critics are asked about demonstrations alone.
        rows = send(is_demo.nonzero().squeeze(-1), self.device)
        others = CriticPass(self.critics, inputs.critic[rows], action[rows], members=OTHERS)
        q_policy = torch.cat([value[rows].unsqueeze(0), others.values])
        keep[rows] = losses.q_filter(q_demo[:, rows], q_policy)
        return keep

    @property
    def _deployed(self) -> Actor:
        return self.target_actor if self.config.deploy == "averaged" else self.actor

    def _scaled_action(self, batch: Batch[Tensor]) -> Tensor:
        """Actions in units of half their range, ``[-1, 1]``: what actor and critics speak."""
        return (batch.action - self._action_center) / self._action_half_range

    def _inputs_now(self, batch: Batch[Tensor]) -> Inputs:
        return self._inputs(batch.observation, batch.achieved_goal, batch.desired_goal)

    def _inputs(self, observation: Tensor, achieved_goal: Tensor, desired_goal: Tensor) -> Inputs:
        return self._seen(observation, achieved_goal, desired_goal)

    def _learn(
        self, batch: Batch[Tensor], gradients: Callable[[Batch[Tensor]], Gradients]
    ) -> Metrics:
        """One step of each optimiser that has gradients, by what all learners find on average."""
        found = [gradients(part) for part in self._learners.parts(batch)]
        actor, critics, metrics = found[0]
        mean = self._learners.mean([[*a, *c, *each.values()] for a, c, each in found])
        first, last = len(actor), len(actor) + len(critics)
        if actor:
            self._actor_optimizer.step(mean[:first])
        if critics:
            self._critic_optimizer.step(mean[first:last])
        return dict(zip(metrics, mean[last:], strict=True))

    def _follow(self, targets: list[Tensor], online: list[Tensor]) -> None:
        """``target <- (1 - tau) * target + tau * online``."""
        torch._foreach_lerp_(targets, online, self.config.tau)


def _detached(network: nn.Module) -> list[Tensor]:
    """Return the parameters as tensors that share their memory and no gradient."""
    return [parameter.detach() for parameter in network.parameters()]


def _copy(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().cpu().numpy().copy()
