"""Policies as one file of C99 that needs nothing but the C library."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from headstart.data.component_inputs import ComponentInputs
from headstart.export.c99_components import COMPONENTS, component_entries, component_numbers
from headstart.export.contract import INSIDE, Inputs, action_scale, env_name_of, inputs_of
from headstart.policy import Policy

_NUMBERS_A_LINE = 10
_LARGEST = float(np.finfo(np.float32).max)
_HEAD = """\
/* A policy of headstart for {env_id}.

   int headstart_act(const float *observation,    {observation_dim} numbers
                     const float *achieved_goal,  {goal_dim} numbers
                     const float *desired_goal,   {goal_dim} numbers
                     float *action);              {action_dim} numbers are written

   Inputs as the environment gives them, the action as the environment takes it. Inside:
   {inside}.
   Returns 0; or -1 for inputs or results that are not numbers, and leaves action as it is.
   Without allocation and without state: any thread may call it.
   Build: cc -std=c99 -O2 -c policy.c, link with -lm. Not with -ffast-math. */

#include <math.h>

enum {{
    OBSERVATION_DIM = {observation_dim},
    GOAL_DIM = {goal_dim},
    ACTION_DIM = {action_dim},
    INPUT_DIM = {input_dim},
    NUM_SCALES = {num_scales},
    WIDEST = {widest}
}};
"""
_BODY = """
int headstart_act(const float *observation, const float *achieved_goal,
                  const float *desired_goal, float *action);

static float clip(float value, float low, float high)
{
    /* Comparisons with what is not a number are false: it stays. */
    return value < low ? low : value > high ? high : value;
}

static void dense(const float *input, int rows, const float *weight, const float *bias,
                  int columns, float *output)
{
    for (int column = 0; column < columns; column++)
        output[column] = bias[column];
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            output[column] += input[row] * weight[row * columns + column];
}

static void relu(float *values, int count)
{
    for (int index = 0; index < count; index++)
        values[index] = values[index] < 0.0f ? 0.0f : values[index];
}

static void standardize(float *seen)
{
    for (int index = 0; index < INPUT_DIM; index++) {
        const float raw = clip(seen[index], -INPUT_CLIP, INPUT_CLIP);
        seen[index] = clip((raw - input_mean[index]) / input_std[index], -OUTPUT_CLIP, OUTPUT_CLIP);
    }
}
"""
_SEE = """
static float state_at(const float *observation, const float *achieved_goal,
                      const float *desired_goal, int entry)
{
    if (entry < OBSERVATION_DIM)
        return observation[entry];
    entry -= OBSERVATION_DIM;
    return entry < GOAL_DIM ? achieved_goal[entry] : desired_goal[entry - GOAL_DIM];
}

static void see(const float *observation, const float *achieved_goal, const float *desired_goal,
                float *seen)
{
    int count = NUM_TERMS;
    for (int term = 0; term < NUM_TERMS; term++) {
        seen[term] = state_at(observation, achieved_goal, desired_goal, entry_of[term]);
        if (subtracted_of[term] >= 0)
            seen[term] -=
                state_at(observation, achieved_goal, desired_goal, subtracted_of[term]);
    }
    for (int scale = 0; scale < NUM_SCALES; scale++)
        for (int term = 0; term < NUM_TERMS; term++)
            if (subtracted_of[term] >= 0)
                seen[count++] = tanhf(fine_scales[scale] * seen[term]);
    standardize(seen);
}
"""
_ACT = """
int headstart_act(const float *observation, const float *achieved_goal,
                  const float *desired_goal, float *action)
{
    float one[WIDEST], two[WIDEST];
    see(observation, achieved_goal, desired_goal, one);
"""
_TAIL = """\
    for (int index = 0; index < ACTION_DIM; index++) {
        RESULT[index] = tanhf(RESULT[index]);
        if (!isfinite(RESULT[index]))
            return -1;
    }
    for (int index = 0; index < ACTION_DIM; index++)
        action[index] = clip(center[index] + half_range[index] * RESULT[index],
                             action_low[index], action_high[index]);
    return 0;
}
"""


def to_c(policy: Policy) -> str:
    """Return a policy as the text of one C99 file with the function ``headstart_act``.

    Raises:
        InputError: if the policy's inputs are of a kind that it cannot express.
    """
    inputs, widths = inputs_of(policy), [bias.shape[0] for _, bias in policy.layers]
    head = _HEAD.format(
        # In a comment: what a file says must not end it.
        env_id=re.sub(r"[^\w.,:=-]", "_", env_name_of(policy), flags=re.ASCII),
        observation_dim=policy.observation_dim,
        goal_dim=policy.goal_dim,
        action_dim=len(policy.action_low),
        input_dim=len(inputs),
        num_scales=len(inputs.scales),
        widest=max(len(inputs), *widths),
        inside=INSIDE,
    )
    numbers, entries, see = _selection(inputs)
    center, half_range = action_scale(policy)
    vectors = {
        # C has no array of no numbers.
        "fine_scales": inputs.scales or (0.0,),
        # In C++, std is a name of its own.
        "input_mean": policy.mean,
        "input_std": policy.std,
        "action_low": policy.action_low,
        "action_high": policy.action_high,
        "center": center,
        "half_range": half_range,
    }
    for index, (weight, bias) in enumerate(policy.layers):
        vectors |= {f"weight_{index}": weight, f"bias_{index}": bias}
    parts = [
        head + numbers,
        f"static const float INPUT_CLIP = {_float(policy.input_clip)};",
        f"static const float OUTPUT_CLIP = {_float(policy.output_clip)};",
        *(_array("int", name, list(map(str, values))) for name, values in entries.items()),
        *(_array("float", name, _floats(values)) for name, values in vectors.items()),
        _BODY + see + _ACT + _calls([len(inputs), *widths]),
    ]
    return "\n".join(parts)


def _selection(inputs: Inputs) -> tuple[str, dict[str, tuple[int, ...]], str]:
    """Return numbers, arrays of integers by name, and the function that makes what is seen."""
    if isinstance(inputs, ComponentInputs):
        finished = ", ".join(_float(within**2) for within in inputs.distances)
        distances = f"static const float FINISHED[2] = {{{finished}}};\n"
        return component_numbers(inputs) + distances, component_entries(inputs), COMPONENTS
    entries, subtracted = zip(*inputs.terms, strict=True)
    number = f"\nenum {{ NUM_TERMS = {len(inputs.terms)} }};\n"
    return number, {"entry_of": entries, "subtracted_of": subtracted}, _SEE


def _calls(widths: Sequence[int]) -> str:
    """Return the calls of all layers, which fill two vectors in turn, and the end."""
    lines, here, there = [], "one", "two"
    for index, (rows, columns) in enumerate(pairwise(widths)):
        lines.append(
            f"    dense({here}, {rows}, weight_{index}, bias_{index}, {columns}, {there});"
        )
        if index < len(widths) - 2:
            lines.append(f"    relu({there}, {columns});")
        here, there = there, here
    return "\n".join(lines) + "\n" + _TAIL.replace("RESULT", here)


def _array(kind: str, name: str, numbers: Sequence[str]) -> str:
    lines = [
        ", ".join(numbers[start : start + _NUMBERS_A_LINE])
        for start in range(0, len(numbers), _NUMBERS_A_LINE)
    ]
    return f"static const {kind} {name}[{len(numbers)}] = {{\n" + ",\n".join(lines) + "};"


def _floats(values: Any) -> list[str]:
    return [_float(value) for value in np.asarray(values, np.float32).ravel().tolist()]


def _float(value: float) -> str:
    """Return the shortest number that C reads as the same float; the largest for infinity."""
    text = str(np.float32(min(value, _LARGEST)))
    return f"{text if '.' in text or 'e' in text else text + '.0'}f"
