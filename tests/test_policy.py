import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from builders import is_one_line, point_policy, random_batch, random_policy
from safetensors.numpy import load_file, save_file

from headstart.agents.ddpg import DDPG, DDPGConfig
from headstart.errors import InputError
from headstart.policy import Policy, inner_bounds, load_policy

SIZES = {"observation_dim": 5, "goal_dim": 3, "action_dim": 2}
ACTION_LOW, ACTION_HIGH = (-1.0, 0.5), (3.0, 0.75)


def trained_agent(**settings):
    """An agent with asymmetric action bounds whose two actors and normaliser have moved."""
    agent = DDPG(
        DDPGConfig(hidden_sizes=(32, 32), tau=0.3, bc_weight=0.0, **settings),
        observation_dim=SIZES["observation_dim"],
        goal_dim=SIZES["goal_dim"],
        action_low=ACTION_LOW,
        action_high=ACTION_HIGH,
        reward_range=(-1.0, 0.0),
        seed=0,
    )
    rng = np.random.default_rng(0)
    for _ in range(5):
        batch = random_batch(rng, 64, **SIZES)
        agent.observe(replace(batch, observation=20.0 * batch.observation + 3.0))
        agent.update(batch.map(torch.from_numpy))
    return agent


def torch_action(agent, actor, observation):
    """The greedy action by the agent's own networks, in the env's units."""
    columns = ("observation", "achieved_goal", "desired_goal")
    inputs = agent._inputs(*(torch.from_numpy(observation[column]) for column in columns)).actor
    low, high = torch.tensor(ACTION_LOW), torch.tensor(ACTION_HIGH)
    with torch.no_grad():
        return (low + (actor(inputs) + 1.0) / 2.0 * (high - low)).numpy()


def observations(rows, *, scale=30.0, seed=1):
    batch = random_batch(np.random.default_rng(seed), rows, **SIZES)
    columns = ("observation", "achieved_goal", "desired_goal")
    return {column: scale * getattr(batch, column) for column in columns}


def arrays_of(policy):
    layers = [array for layer in policy.layers for array in layer]
    return [*layers, policy.mean, policy.std, policy.action_low, policy.action_high]


def numbers_of(policy):
    dims = (policy.observation_dim, policy.goal_dim, policy.goal_input)
    return (*dims, policy.input_clip, policy.output_clip, dict(policy.metadata))


def equal(one: Policy, two: Policy) -> bool:
    pairs = list(zip(arrays_of(one), arrays_of(two), strict=True))
    return numbers_of(one) == numbers_of(two) and all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.parametrize("goal_input", ["absolute", "relative", "both"])
@pytest.mark.parametrize("deploy", ["averaged", "online"])
@pytest.mark.parametrize("normalize_inputs", [True, False])
def test_the_numpy_policy_is_the_torch_actor(goal_input, deploy, normalize_inputs):
    agent = trained_agent(goal_input=goal_input, deploy=deploy, normalize_inputs=normalize_inputs)
    observation = observations(200)
    online = torch_action(agent, agent.actor, observation)
    averaged = torch_action(agent, agent.target_actor, observation)
    assert np.abs(online - averaged).max() > 1e-3
    np.testing.assert_allclose(agent.policy(deployed=False)(observation), online, rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        agent.policy(deployed=True)(observation),
        averaged if deploy == "averaged" else online,
        rtol=0,
        atol=1e-5,
    )


def test_extreme_inputs_are_clipped_as_in_torch():
    agent = trained_agent(input_clip=50.0, output_clip=2.0)
    observation = observations(100, scale=1000.0)
    np.testing.assert_allclose(
        agent.policy(deployed=False)(observation),
        torch_action(agent, agent.actor, observation),
        rtol=0,
        atol=1e-5,
    )


def test_a_policy_is_a_copy_that_training_does_not_move():
    agent = trained_agent()
    policy, observation = agent.policy(deployed=True), observations(10)
    before = policy(observation)
    batch = random_batch(np.random.default_rng(9), 64, **SIZES)
    agent.observe(batch)
    agent.update(batch.map(torch.from_numpy))
    np.testing.assert_array_equal(policy(observation), before)
    assert not np.array_equal(agent.policy(deployed=True)(observation), before)


def test_a_batch_is_acted_on_row_by_row():
    policy, observation = trained_agent().policy(deployed=True), observations(7)
    actions = policy(observation)
    assert actions.shape == (7, 2)
    assert actions.dtype == np.float32
    for row in range(7):
        action = policy({key: value[row] for key, value in observation.items()})
        assert action.shape == (2,)
        np.testing.assert_allclose(action, actions[row], rtol=0, atol=1e-5)


def test_actions_stay_within_asymmetric_bounds_and_reach_both():
    rng = np.random.default_rng(0)
    policy = replace(
        random_policy(rng, **SIZES),
        action_low=np.array(ACTION_LOW, np.float32),
        action_high=np.array(ACTION_HIGH, np.float32),
    )
    actions = policy(observations(2000))
    assert (actions >= policy.action_low).all()
    assert (actions <= policy.action_high).all()
    span = policy.action_high - policy.action_low
    np.testing.assert_allclose(actions.min(axis=0), policy.action_low, atol=0.01 * span.max())
    np.testing.assert_allclose(actions.max(axis=0), policy.action_high, atol=0.01 * span.max())


@pytest.mark.parametrize("column", ["observation", "desired_goal", "achieved_goal"])
def test_an_input_that_is_not_a_number_never_becomes_an_action(column):
    observation = observations(3)
    observation[column][1, 0] = np.nan
    with pytest.raises(FloatingPointError, match="not finite"):
        trained_agent().policy(deployed=True)(observation)


ONE_ROW = {key: value[0] for key, value in observations(1).items()}


@pytest.mark.parametrize(
    ("observation", "named"),
    [
        (ONE_ROW | {"observation": np.zeros(7)}, ["'observation'", "5 numbers", "(7,)"]),
        (ONE_ROW | {"desired_goal": np.zeros((4, 2))}, ["'desired_goal'", "3 numbers", "(4, 2)"]),
        (ONE_ROW | {"achieved_goal": np.zeros(1)}, ["'achieved_goal'", "3 numbers", "(1,)"]),
        # As many numbers in all as there should be.
        ({**ONE_ROW, "observation": np.zeros(7), "desired_goal": np.zeros(1)}, ["(1,)"]),
        (ONE_ROW | {"observation": np.float32(1.0)}, ["'observation'", "()"]),
        (ONE_ROW | {"observation": "left"}, ["'observation'", "numbers", "str"]),
        ({"observation": np.zeros(5)}, ["lacks 'desired_goal'", "has 'observation'"]),
        ({"desired_goal": np.zeros(3), "obs": 0}, ["lacks 'observation'", "'obs'"]),
        ((ONE_ROW, {}), ["dict", "tuple", "env.reset()"]),
        (np.zeros(11), ["dict", "ndarray"]),
        (ONE_ROW | {"observation": np.zeros((4, 5))}, ["(4, 5)", "(3,)", "leading axes"]),
        (
            {**observations(4), "achieved_goal": np.zeros((3, 3))},
            ["(4, 5)", "(3, 3)", "leading axes"],
        ),
    ],
)
def test_an_observation_of_another_form_is_refused_by_name(observation, named):
    policy = random_policy(np.random.default_rng(0), **SIZES)
    with pytest.raises(InputError) as refusal:
        policy(observation)
    assert is_one_line(str(refusal.value))
    for words in named:
        assert words in str(refusal.value)


def test_a_policy_that_does_not_see_the_achieved_goal_does_not_ask_for_it():
    policy = trained_agent(goal_input="absolute").policy(deployed=True)
    seen = {key: ONE_ROW[key] for key in ("observation", "desired_goal")}
    np.testing.assert_array_equal(policy(seen), policy(ONE_ROW))


@pytest.mark.parametrize("goal_input", ["absolute", "relative", "both"])
def test_saving_and_loading_changes_nothing(tmp_path, goal_input):
    metadata = {"env_id": "FetchReach-v4", "config": {"a": [1, None, 0.1]}, "text": 'ä\n"x"'}
    policy = replace(trained_agent(goal_input=goal_input).policy(deployed=True), metadata=metadata)
    policy.save(tmp_path / "policy.safetensors")
    loaded = load_policy(tmp_path / "policy.safetensors")
    assert equal(loaded, policy)
    np.testing.assert_array_equal(loaded(observations(50)), policy(observations(50)))


def test_a_saved_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "policy.safetensors"
    point_policy(0).save(path)
    point_policy(1).save(path)
    assert equal(load_policy(path), point_policy(1))
    assert [entry.name for entry in tmp_path.iterdir()] == ["policy.safetensors"]


def test_the_best_policy_of_a_run_directory_is_loaded_before_the_latest(tmp_path):
    (tmp_path / "policies").mkdir()
    point_policy(1).save(tmp_path / "policies" / "latest.safetensors")
    assert equal(load_policy(tmp_path), point_policy(1))
    point_policy(2).save(tmp_path / "policies" / "best.safetensors")
    assert equal(load_policy(str(tmp_path)), point_policy(2))


def test_a_policy_runs_where_torch_cannot_be_imported(tmp_path):
    policy = point_policy()
    policy.save(tmp_path / "policy.safetensors")
    program = """
import sys
sys.modules["torch"] = None
import numpy as np
from headstart import load_policy
policy = load_policy(sys.argv[1])
observation = {key: np.array([0.3, -0.2]) for key in ("observation", "achieved_goal")}
print(*policy({**observation, "desired_goal": np.array([0.5, 0.1])}).tolist())
print(*sorted({"gymnasium", "mujoco"} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "policy.safetensors")],
        capture_output=True,
        text=True,
        check=True,
    )
    printed, imported = result.stdout.splitlines()
    here = {key: np.array([0.3, -0.2]) for key in ("observation", "achieved_goal")}
    action = policy({**here, "desired_goal": np.array([0.5, 0.1])})
    np.testing.assert_allclose([float(x) for x in printed.split()], action, rtol=0, atol=1e-6)
    assert imported == ""


@pytest.fixture
def saved(tmp_path):
    """Path, arrays and header of a policy file."""
    path = tmp_path / "policy.safetensors"
    point_policy().save(path)
    arrays = load_file(path)
    size = int.from_bytes(path.read_bytes()[:8], "little")
    metadata = json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]
    return path, arrays, json.loads(metadata["headstart_policy"])


def assert_refused(path, *named):
    with pytest.raises(InputError) as caught:
        load_policy(path)
    message = str(caught.value)
    assert is_one_line(message)
    assert str(path) in message
    for word in named:
        assert word in message


def write(saved, *, arrays=None, **header_changes):
    path, old_arrays, header = saved
    new_header = {**header, **header_changes}
    save_file(arrays or old_arrays, path, {"headstart_policy": json.dumps(new_header)})
    return path


def test_what_the_fixture_writes_unchanged_is_accepted(saved):
    assert equal(load_policy(write(saved)), point_policy())


def test_a_missing_file_is_refused(tmp_path):
    assert_refused(tmp_path / "missing.safetensors", "no such policy file")


def test_a_directory_that_is_not_a_run_is_refused(tmp_path):
    assert_refused(tmp_path, "not a run directory")


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00" * 100, b"\xff" * 100, b"{}" * 50])
def test_garbage_is_refused(tmp_path, content):
    path = tmp_path / "policy.safetensors"
    path.write_bytes(content)
    assert_refused(path, "not a headstart policy file")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    path, *_ = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_refused(path, "not a headstart policy file")


def test_a_safetensors_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"weight": np.zeros((2, 2), np.float32)}, path)
    assert_refused(path, "no policy entry")


@pytest.mark.parametrize("header", ["", "[]", "null", "3", "{", '{"schema": 1}'])
def test_a_header_that_is_not_ours_is_refused(saved, header):
    path, arrays, _ = saved
    save_file(arrays, path, {"headstart_policy": header})
    assert_refused(path, "not a headstart policy file")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"schema": 4}, "schema 4"),
        ({"schema": None}, "schema None"),
        ({"schema": 4, "new": 1}, "schema 4"),
        ({"schema": True}, "header.schema must be an integer"),
        ({"colour": "red"}, "unknown key header.colour"),
        ({"num_layers": 10**15}, "it lacks 'layers.3.weight'"),
        ({"num_layers": 10**400}, "64 bits"),
        ({"input_clip": 10**400}, "input_clip must be a number"),
        ({"goal_dim": -1, "observation_dim": 8}, "at least 1 wide"),
        ({"goal_dim": 0, "observation_dim": 6}, "at least 1 wide"),
        ({"goal_input": "sideways"}, "sideways"),
        ({"goal_input": "absolute"}, "do not fit"),
        ({"observation_dim": 3}, "do not fit"),
        ({"goal_dim": 1}, "do not fit"),
        ({"num_layers": 2}, "do not fit"),
        ({"num_layers": 4}, "layers.3.weight"),
        ({"num_layers": 0}, "do not fit"),
        ({"num_layers": float("inf")}, ""),
        ({"num_layers": "many"}, "many"),
        ({"input_clip": None}, ""),
        ({"input_clip": float("nan")}, "NaN"),
        ({"output_clip": -5.0}, "output_clip"),
        ({"metadata": None}, ""),
    ],
)
def test_a_header_that_does_not_fit_is_refused(saved, change, named):
    assert_refused(write(saved, **change), named)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["layers.1.weight", "layers.0.bias", "mean", "action_high"])
def test_weights_that_are_not_finite_are_refused_by_name(saved, name, bad):
    _, arrays, _ = saved
    changed = arrays[name].copy()
    changed.flat[-1] = bad
    assert_refused(write(saved, arrays={**arrays, name: changed}), name)


@pytest.mark.parametrize(
    "name", ["layers.0.weight", "layers.1.weight", "layers.2.bias", "mean", "std", "action_low"]
)
@pytest.mark.parametrize("damage", ["shorter", "flat", "scalar", "missing", "integer", "double"])
def test_arrays_that_do_not_fit_are_refused(saved, name, damage):
    _, arrays, _ = saved
    changed = dict(arrays)
    match damage:
        case "shorter":
            changed[name] = arrays[name][:-1].copy()
        case "flat":
            changed[name] = np.append(arrays[name].ravel(), np.float32(0))
        case "scalar":
            changed[name] = np.array(1.0, np.float32)
        case "missing":
            del changed[name]
        case "integer":
            changed[name] = arrays[name].astype(np.int64)
        case "double":
            changed[name] = arrays[name].astype(np.float64)
    assert_refused(write(saved, arrays=changed))


@pytest.mark.parametrize("std", [0.0, -1.0])
def test_a_standard_deviation_that_is_not_positive_is_refused(saved, std):
    _, arrays, _ = saved
    assert_refused(write(saved, arrays={**arrays, "std": np.full_like(arrays["std"], std)}), "std")


def test_action_bounds_the_wrong_way_round_are_refused(saved):
    _, arrays, _ = saved
    swapped = {"action_low": arrays["action_high"], "action_high": arrays["action_low"]}
    assert_refused(write(saved, arrays={**arrays, **swapped}), "action")


def test_actions_lie_inside_their_bounds_to_the_last_bit():
    rng = np.random.default_rng(0)
    for _ in range(300):
        low = np.float32(rng.uniform(-3, 1))
        high = np.float32(low + rng.uniform(0.1, 3))
        policy = random_policy(
            rng, observation_dim=1, goal_dim=1, action_dim=1, low=low, high=high, hidden=()
        )
        policy = replace(
            policy, layers=((np.full((3, 1), 50, np.float32), np.zeros(1, np.float32)),)
        )
        for side in (-9.0, 9.0):
            goal = np.array([[side]])
            action = policy({"observation": goal, "achieved_goal": 0 * goal, "desired_goal": goal})
            assert low <= action[0, 0] <= high
            assert action.dtype == np.float32


def test_bounds_that_float32_does_not_hold_are_rounded_inwards():
    low, high = np.array([-0.1, -1.0, 0.3]), np.array([0.3, 1.0, 0.7])
    inner_low, inner_high = inner_bounds(low, high)
    assert inner_low.dtype == inner_high.dtype == np.float32
    assert (low <= inner_low).all()
    assert (inner_high <= high).all()
    np.testing.assert_allclose([inner_low, inner_high], [low, high], rtol=1e-6)
    assert inner_low[1] == -1.0
    assert inner_high[1] == 1.0
