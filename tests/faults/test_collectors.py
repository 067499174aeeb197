"""Environments that kill, stop or hang the process that they run in."""

from dataclasses import replace

import pytest
from builders import point_policy
from envs.faulty import KINDS, tokens
from small_runs import POINT, SMALL, Diary, weights_of
from waiting import TIMEOUTS

from headstart.errors import EpisodeError, RunError
from headstart.rollout.executors import make_executor
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob
from headstart.runs.train import train
from headstart.training.config import FailuresConfig


def jobs_of(count):
    noise = Exploration(noise=0.2)
    return [EpisodeJob(point_policy(), 0, "rollout", index, noise) for index in range(count)]


def faulty(kind, directory):
    return f"envs.faulty:Faulty-v0,kind={kind},tokens={directory}"


def episodes_of(env_id, collectors, count, timeout=TIMEOUTS[-1]):
    with make_executor(env_id, collectors, timeout=timeout) as executor:
        episodes = [pending.result() for pending in executor.submit(jobs_of(count))]
        return episodes, executor.repeated


@pytest.fixture(scope="module")
def undisturbed():
    episodes, repeated = episodes_of(POINT, 0, 6)
    assert repeated == 0
    return episodes


@pytest.mark.parametrize("kind", ["memory", "step", "reset"])
def test_what_a_fault_here_interrupts_is_run_again_and_is_the_same(tmp_path, undisturbed, kind):
    directory = tokens(tmp_path / "tokens", 2)
    assert episodes_of(faulty(kind, directory), 0, 6) == (undisturbed, 2)
    assert not list(directory.iterdir())


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
def test_what_faults_in_collectors_interrupt_is_run_again_and_is_the_same(tmp_path, undisturbed):
    # On a slow machine a sound episode may take as long as the first of them, too.
    for number, timeout in enumerate(TIMEOUTS):
        directory = tokens(tmp_path / str(number), 0)
        with make_executor(faulty("any", directory), 2, timeout=timeout) as executor:
            # Twice each: at the third that interrupts it, an episode is given up.
            for kind in KINDS:
                for count in range(2):
                    (directory / f"{kind} {count}").touch()
                disturbed = [pending.result() for pending in executor.submit(jobs_of(6))]
                assert disturbed == undisturbed
                assert not list(directory.iterdir())
        if executor.repeated == 2 * len(KINDS):
            break
    assert executor.repeated == 2 * len(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("kill", "died with exit code -9"),
        ("exit", "died with exit code 0"),
        ("step", r"ZeroDivisionError: a wheel came off \(faulty\.py, line \d+\)"),
        ("reset", r"OSError: the sensor does not answer \(faulty\.py, line \d+\)"),
    ],
)
def test_a_job_that_fails_again_and_again_ends_with_the_environments_own_words(
    request, tmp_path, kind, expected
):
    if kind in ("step", "reset"):
        request.getfixturevalue("forked_collectors")
    env_id = faulty(kind, tokens(tmp_path / "tokens", 1000))
    (job,) = jobs_of(1)
    for collectors in (1, 0) if kind in ("step", "reset") else (1,):
        with make_executor(env_id, collectors) as executor:
            (pending,) = executor.submit([job])
            with pytest.raises(EpisodeError, match=expected) as caught:
                pending.result()
        assert f"episode with seed {job.env_seed}: failed 3 times" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert ("Traceback" in caught.value.details) == (kind in ("step", "reset"))


@pytest.mark.slow
def test_a_collector_that_always_hangs_is_reported(tmp_path):
    env_id = faulty("hang", tokens(tmp_path / "tokens", 1000))
    with make_executor(env_id, 1, timeout=1.0) as executor:
        (pending,) = executor.submit(jobs_of(1))
        with pytest.raises(EpisodeError, match="hung for 1 s and was killed"):
            pending.result()


@pytest.mark.slow
def test_training_continues_to_the_same_bits_and_counts_what_it_repeated(tmp_path):
    path = tokens(tmp_path / "tokens", 0)
    env_id = faulty("kill", path)

    class Breaking(Diary):
        def progressed(self, progress):
            # Not before the warm start: training steps in the environment itself to know it.
            if not self.phases:
                for number in range(2):
                    (path / str(number)).touch()
            super().progressed(progress)

    quiet, loud = Diary(), Breaking()
    config = replace(SMALL, seed=4)
    undisturbed = train(POINT, config, observers=[quiet])
    disturbed = train(env_id, config, collectors=2, observers=[loud])
    assert (weights_of(disturbed.policy) == weights_of(undisturbed.policy)).all()
    assert loud.rows[-1]["health/repeated_episodes"] == 2
    assert quiet.rows[-1]["health/repeated_episodes"] == 0


def test_a_run_that_an_environment_ends_can_be_resumed_once_it_is_repaired(tmp_path):
    from headstart.runs.resume import resume

    path = tokens(tmp_path / "tokens", 0)
    env_id = faulty("step", path)

    class Breaking(Diary):
        def evaluated(self, *of):
            super().evaluated(*of)
            for number in range(3):
                (path / str(number)).touch()

    checkpoint = replace(SMALL.checkpoint, seconds=0.0)
    none = FailuresConfig(share=0.0, at_least=0)
    config = replace(SMALL, checkpoint=checkpoint, failures=none)
    with pytest.raises(RunError, match="a wheel came off"):
        train(env_id, config, out=tmp_path / "run", observers=[Breaking()])
    resumed = resume(tmp_path / "run")
    undisturbed = train(POINT, config)
    assert (weights_of(resumed.policy) == weights_of(undisturbed.policy)).all()
