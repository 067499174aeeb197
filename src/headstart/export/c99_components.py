"""What actors see of the current component of a goal, as C99."""

from headstart.data.component_inputs import ComponentInputs

_CODE = """
enum {{
    NUM_PARTS = {num_parts},
    PART_DIM = {dim},
    NUM_SHARED = {num_shared},
    NUM_OWN = {num_own},
    NUM_HEIGHTS = {num_heights},
    NUM_OFFSETS = {num_offsets},
    HAND = {hand}
}};
"""
COMPONENTS = """
static float larger(float one, float other)
{
    /* What is not a number stays. */
    return one != one || one > other ? one : other;
}

static float squared(const float *values)
{
    float sum = 0.0f;
    for (int axis = 0; axis < PART_DIM; axis++)
        sum += values[axis] * values[axis];
    return sum;
}

/* The offset from a place of the nearest of the components but the current one. */
static void nearest(const float *achieved_goal, const float *place, int current, float *offset)
{
    float best = INFINITY;
    for (int axis = 0; axis < PART_DIM; axis++)
        offset[axis] = NAN;
    for (int part = 0; part < NUM_PARTS; part++) {
        float away[PART_DIM];
        for (int axis = 0; axis < PART_DIM; axis++)
            away[axis] = achieved_goal[goal_first[part] + axis] - place[axis];
        if (part == current || squared(away) >= best)
            continue;
        best = squared(away);
        for (int axis = 0; axis < PART_DIM; axis++)
            offset[axis] = away[axis];
    }
}

/* The first component that is not finished, or the last one if all are. */
static int choose(const float *achieved_goal, const float *desired_goal, int *is_over)
{
    float distance[NUM_PARTS];
    int last_close = -1;
    for (int part = 0; part < NUM_PARTS; part++) {
        float way[PART_DIM];
        for (int axis = 0; axis < PART_DIM; axis++)
            way[axis] = desired_goal[goal_first[part] + axis] -
                        achieved_goal[goal_first[part] + axis];
        distance[part] = squared(way);
        if (distance[part] <= FINISHED[1])
            last_close = part;
    }
    *is_over = 0;
    for (int part = 0; part < NUM_PARTS; part++)
        if (!(distance[part] <= FINISHED[0] ||
              (distance[part] <= FINISHED[1] && part < last_close)))
            return part;
    *is_over = 1;
    return NUM_PARTS - 1;
}

static void see(const float *observation, const float *achieved_goal, const float *desired_goal,
                float *seen)
{
    int is_over, count = 0;
    const int current = choose(achieved_goal, desired_goal, &is_over);
    const float *place = achieved_goal + goal_first[current];
    const float *goal = desired_goal + goal_first[current];
    const float *viewpoint = HAND < 0 ? place : observation + (HAND < 0 ? 0 : HAND);
    float offsets[NUM_OFFSETS];
    for (int index = 0; index < NUM_SHARED; index++)
        seen[count++] = observation[shared_entry[index]];
    for (int index = 0; index < NUM_OWN; index++)
        seen[count++] = observation[part_first[current] + own_entry[index]];
    seen[count++] = (float)is_over;
    for (int index = 0; index < NUM_HEIGHTS; index++) {
        const int axis = height_axis[index];
        float highest = -INFINITY;
        for (int part = 0; part < NUM_PARTS; part++)
            if (part != current)
                highest = larger(highest, achieved_goal[goal_first[part] + axis]);
        seen[count++] = highest - viewpoint[axis];
    }
    for (int axis = 0; axis < PART_DIM; axis++)
        offsets[axis] = goal[axis] - place[axis];
    nearest(achieved_goal, place, current, offsets + PART_DIM);
    if (HAND >= 0) {
        for (int axis = 0; axis < PART_DIM; axis++)
            offsets[2 * PART_DIM + axis] = place[axis] - viewpoint[axis];
        nearest(achieved_goal, viewpoint, current, offsets + NUM_OFFSETS - PART_DIM);
    }
    for (int index = 0; index < NUM_OFFSETS; index++)
        seen[count++] = offsets[index];
    for (int scale = 0; scale < NUM_SCALES; scale++)
        for (int index = 0; index < NUM_OFFSETS; index++)
            seen[count++] = tanhf(fine_scales[scale] * offsets[index]);
    standardize(seen);
}
"""
"""The function ``see``, and those that it calls."""


def component_numbers(seen: ComponentInputs) -> str:
    """Return the sizes that the code needs."""
    return _CODE.format(
        num_parts=len(seen.goals),
        dim=seen.dim,
        num_shared=len(seen.shared),
        num_own=len(seen.own),
        num_heights=len(seen.heights),
        num_offsets=(2 if seen.hand is None else 4) * seen.dim,
        hand=-1 if seen.hand is None else seen.hand,
    )


def component_entries(seen: ComponentInputs) -> dict[str, tuple[int, ...]]:
    """Return arrays of integers by name; C has none of no numbers."""
    return {
        "goal_first": seen.goals,
        "part_first": seen.firsts,
        "own_entry": seen.own or (0,),
        "shared_entry": seen.shared or (0,),
        "height_axis": seen.heights or (0,),
    }
