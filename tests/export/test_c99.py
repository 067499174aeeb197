import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from exporting import ACTION, KINDS, policy_of, states

from headstart.export.c99 import to_c

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
STRICT = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
# Reads states from standard input, as the numbers of one after the other, and writes actions.
MAIN = """
#include <stdio.h>
int main(void)
{
    float state[OBSERVATION_DIM + 2 * GOAL_DIM], action[ACTION_DIM];
    while (fread(state, sizeof state, 1, stdin) == 1) {
        if (headstart_act(state, state + OBSERVATION_DIM, state + OBSERVATION_DIM + GOAL_DIM,
                          action))
            return 1;
        fwrite(action, sizeof action, 1, stdout);
    }
    return 0;
}
"""
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def compile_policy(policy, directory):
    source = directory / "policy.c"
    source.write_text(to_c(policy) + MAIN)
    command = [COMPILER, *STRICT, str(source), "-o", str(directory / "policy"), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    return directory / "policy"


def run_program(program, observation):
    rows = np.concatenate(list(observation.values()), axis=-1)
    return subprocess.run([program], input=rows.tobytes(), capture_output=True)


@needs_compiler
@pytest.mark.parametrize("kind", KINDS)
def test_the_c_policy_is_the_numpy_policy(kind, tmp_path):
    policy, observation = policy_of(kind), states(10_000, kind)
    run = run_program(compile_policy(policy, tmp_path), observation)
    actions = np.frombuffer(run.stdout, np.float32).reshape(-1, ACTION)
    assert np.abs(actions - policy(observation)).max() < 1e-5


@needs_compiler
def test_what_is_not_a_number_is_reported(tmp_path):
    program = compile_policy(policy_of("both"), tmp_path)
    observation = states(1)
    observation["desired_goal"][0, 0] = np.nan
    run = run_program(program, observation)
    assert (run.returncode, run.stdout) == (1, b"")


def test_what_a_file_says_of_itself_stays_in_the_comment():
    named = {"env_id": '*/ int main(void) { return system("ls"); } /* ??/'}
    text = to_c(replace(policy_of("both"), metadata=named))
    comment, _, rest = text.partition("*/")
    assert "system" in comment
    assert "system" not in rest
    assert "?" not in comment
