import numpy as np
import pytest
import torch

from headstart.agents import losses


def tensor(*values):
    return torch.tensor(values, dtype=torch.float32)


def test_td_target_stops_only_at_termination_and_is_clipped():
    target = losses.td_target(
        tensor(-1, 0), tensor(0, 1), tensor(-60, -3), discount=0.98, bounds=(-50.0, 0.0)
    )
    np.testing.assert_array_equal(target, [-50.0, 0.0])


def test_td_target_without_bounds_is_not_clipped():
    target = losses.td_target(
        tensor(-1, 0), tensor(0, 0), tensor(-60, 5), discount=0.5, bounds=None
    )
    np.testing.assert_array_equal(target, [-31.0, 2.5])


def test_td_target_carries_no_gradient():
    next_value = tensor(-1, -2).requires_grad_()
    target = losses.td_target(tensor(0, 0), tensor(0, 0), next_value, discount=0.9, bounds=None)
    assert not target.requires_grad


def test_target_critics_are_combined_row_by_row():
    values = torch.tensor([[1.0, -4.0], [3.0, -8.0]])
    np.testing.assert_array_equal(losses.combine(values, "min"), [1.0, -8.0])
    np.testing.assert_array_equal(losses.combine(values, "mean"), [2.0, -6.0])


def test_critic_loss_is_a_mean_over_rows_and_a_sum_over_critics():
    values = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    assert losses.critic_loss(values, tensor(0, 4)) == (1 + 4) / 2 + (0 + 16) / 2


def test_policy_loss_is_minus_the_mean_value_plus_the_mean_squared_action():
    action = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    loss = losses.policy_loss(tensor(2, 4), action, action_l2=3.0)
    assert loss == pytest.approx(-3.0 + 3.0 * (1.0 + 0.25 + 0.25) / 4)


def test_bc_loss_divides_by_all_demonstrated_rows():
    policy_action = torch.zeros(4, 2)
    demo_action = torch.tensor([[1.0, 1.0], [2.0, 0.0], [9.0, 9.0], [3.0, 0.0]])
    loss = losses.bc_loss(
        policy_action, demo_action, is_demo=tensor(1, 1, 0, 1), keep=tensor(1, 0, 1, 1)
    )
    assert loss == pytest.approx((2.0 + 9.0) / 3)


def test_bc_loss_of_a_batch_without_demonstrations_is_zero():
    ones = torch.ones(3, 2)
    assert losses.bc_loss(0 * ones, ones, is_demo=torch.zeros(3), keep=torch.ones(3)) == 0.0


def test_only_kept_demonstrations_pull_the_policy():
    policy_action = torch.zeros(3, 2, requires_grad=True)
    losses.bc_loss(
        policy_action, torch.ones(3, 2), is_demo=tensor(1, 1, 0), keep=tensor(1, 0, 1)
    ).backward()
    np.testing.assert_array_equal(policy_action.grad, [[-1.0, -1.0], [0.0, 0.0], [0.0, 0.0]])


def test_by_distance_one_that_is_far_off_counts_as_much_as_another():
    policy_action = torch.tensor([[30.0, 40.0], [0.003, 0.004]], requires_grad=True)
    rows = {"is_demo": tensor(1, 1), "keep": tensor(1, 1), "error": "distance"}
    loss = losses.bc_loss(policy_action, torch.zeros(2, 2), **rows)
    assert loss.item() == pytest.approx((50.0 - 0.05 + 0.005**2 / (2 * 0.05)) / 2, rel=1e-3)
    loss.backward()
    # A step towards the far one is no longer than 1; near, it gets shorter with the distance.
    np.testing.assert_allclose(policy_action.grad[0], [0.3, 0.4], rtol=1e-4)
    np.testing.assert_allclose(policy_action.grad[1], [0.03, 0.04], rtol=1e-2)
    gradient = losses.bc_gradient(policy_action.detach(), torch.zeros(2, 2), **rows)
    np.testing.assert_allclose(gradient, policy_action.grad, rtol=1e-5)


def test_q_filter_is_strict():
    keep = losses.q_filter(tensor(1, 2, 3).unsqueeze(0), tensor(1, 1, 4).unsqueeze(0))
    np.testing.assert_array_equal(keep, [0.0, 1.0, 0.0])


def test_one_critic_of_several_is_enough_to_keep_a_demonstration():
    q_demo = torch.tensor([[2.0, 2.0, 0.0], [0.0, 2.0, 0.0]])
    np.testing.assert_array_equal(losses.q_filter(q_demo, torch.ones(2, 3)), [1.0, 1.0, 0.0])


def test_q_filter_carries_no_gradient():
    q_demo = torch.ones(1, 2, requires_grad=True)
    assert not losses.q_filter(q_demo, torch.zeros(1, 2)).requires_grad


def test_shapes_that_would_broadcast_are_refused():
    column = torch.zeros(4, 1)
    row = torch.zeros(4)
    with pytest.raises(AssertionError):
        losses.td_target(row, row, column, discount=0.9, bounds=None)
    with pytest.raises(AssertionError):
        losses.critic_loss(torch.zeros(2, 4, 1), row)
    with pytest.raises(AssertionError):
        losses.bc_loss(torch.zeros(4, 2), torch.zeros(4, 2), is_demo=column, keep=row)
    with pytest.raises(AssertionError):
        losses.q_filter(torch.zeros(1, 4), torch.zeros(2, 4))
