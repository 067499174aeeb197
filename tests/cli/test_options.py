"""Options of settings: each has one, whose words are read as its type says."""

import shlex

import pytest
from builders import is_one_line

from headstart.cli.main import main, parse
from headstart.cli.train import settings_of
from headstart.dotted import walk
from headstart.errors import InputError
from headstart.presets import PRESETS


def words(value):
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def option_of(setting):
    """Return the option that gives a setting the value that it has."""
    name = setting.name.replace("_", "-")
    if setting.kind is bool:
        section, dot, last = name.rpartition(".")
        return f"--{section}{dot}{'' if setting.value else 'no-'}{last}"
    repeated = 2 if setting.name == "task.reward_range" else 1
    return f"--{name} {' '.join([words(setting.value)] * repeated)}"


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_setting_can_be_given_as_an_option(preset):
    other = PRESETS[preset]
    line = " ".join(option_of(setting) for setting in walk(other))
    found = settings_of(parse(["train", "ENV", *line.split()]))
    assert found == other
    assert found != PRESETS["fast"] or preset == "fast"


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("--task.reward-range -inf 0", {"task.reward_range": (float("-inf"), 0.0)}),
        ("--task.reward-range -1e-3 .5", {"task.reward_range": (-0.001, 0.5)}),
        ("--task.reward-range None None", {"task.reward_range": None}),
        ("--task.velocities None --task.hand 3", {"task.velocities": None, "task.hand": 3}),
        ("--task.velocities", {"task.velocities": ()}),
        ("--task.success-terminates False", {"task.success_terminates": False}),
        ("--task.success-terminates true", {"task.success_terminates": True}),
        ("--task.success-terminates=FALSE", {"task.success_terminates": False}),
        ("--agent.q_weight 1e-3", {"agent.q_weight": 0.001}),
        ("--agent.no-q-filter --agent.q-filter", {"agent.q_filter": True}),
        ("--no-symmetry --symmetry --no_symmetry", {"symmetry": False}),
        ("--seed 1 --seed=2e0", {"seed": 2}),
        ("--demos.num-episodes None", {"demos.num_episodes": None}),
    ],
)
def test_words_become_values(line, changes):
    arguments = parse(["train", *line.split(), "--matmul-precision", "float32", "ENV"])
    assert arguments.env == "ENV"
    assert arguments.changes == {**changes, "matmul_precision": "float32"}
    settings_of(arguments)


def test_demonstrations_may_be_named_in_several_options():
    line = "train --demos a b --seed 1 --demos=c ENV --demos d"
    assert parse(line.split()).demos == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("train ENV --actor-lr 1", "unknown option '--actor-lr'; did you mean --agent.actor-lr?"),
        ("train ENV --agent.tua=1", "unknown option '--agent.tua'; did you mean --agent.tau?"),
        ("evaluate run --episods 3", "unknown option '--episods'; did you mean --episodes?"),
        ("demos collect ENV --sed 3 --out x", "unknown option '--sed'; did you mean --seed?"),
        ("resume run --allow-changes", "did you mean --allow-change?"),
        (
            "train ENV --no-agent.q-filter",
            "'--no-agent.q-filter'; did you mean --agent.no-q-filter?",
        ),
        (
            "train ENV --agent.q-filter=False",
            "--agent.q-filter takes no value, got 'False'; it is --agent.q-filter for True and "
            "--agent.no-q-filter for False",
        ),
        (
            "train --agent.no-q_filter true ENV",
            "--agent.no-q-filter takes no value, got 'true'; it",
        ),
        ("resume --allow-change=yes run", "--allow-change takes no value, got 'yes'; give"),
        ("train --demos a.npz ENV", "ENV is missing; --demos takes all words that follow it, ENV"),
        ("train --agent.hidden-sizes 16 16 ENV", "ENV is missing; --agent.hidden-sizes takes all"),
        ("resume --seed 1 --fine-scales 1 run", "DIR is missing; --fine-scales takes all words"),
        ("train --demos=a.npz", "the following arguments are required: ENV"),
        ("train --demos a.npz --sed 1 ENV", "unknown option '--sed'; did you mean --seed?"),
        ("train ENV --seed ١٢", "--seed: must be an integer, got ١٢"),
        ("train ENV --agent.tau ٢", "--agent.tau: must be a number, got ٢"),
        ("train ENV --env-steps ''", "--env-steps is empty; give it a value"),
        ("train ENV --config=", "--config is empty; give it a value"),
        ("train ENV --out ' '", "--out is empty; give it a value"),
        ("train ''", "ENV is empty; give it a value"),
        ("plot a '' --out c.png", "DIR is empty; give it a value"),
        ("train ENV other", "unexpected argument 'other'"),
        ("evaluate run --episodes 1.5", "--episodes: must be an integer, got 1.5"),
        ("train ENV --task.hand x", "--task.hand: must be an integer or None, got x"),
        ("train ENV --fine-scales 1 x", "--fine-scales: must be a number, got x"),
        ("train ENV --task.reward-range 1", "--task.reward-range: expected 2 arguments"),
        ("train ENV --preset", "--preset: expected one argument"),
        (
            "envs check ENV --task.hand-steps x",
            "--task.hand-steps: must be a number or None, got x",
        ),
    ],
)
def test_a_wrong_option_is_named_with_what_to_do(command, expected):
    with pytest.raises(InputError) as refusal:
        parse(shlex.split(command))
    assert expected in str(refusal.value)
    verb = "demos collect" if command.startswith("demos") else command.partition(" ")[0]
    verb = "envs check" if verb == "envs" else verb
    assert str(refusal.value).endswith(f"; see `headstart {verb} --help`")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("trian ENV", "there is no verb 'trian'; did you mean train?"),
        ("''", "there is no verb ''; it is one of demos, teleop, train"),
        ("demos colect ENV", "there is no action 'colect'; did you mean collect?"),
        ("envs ENV", "there is no action 'ENV'; it is one of check"),
        ("--json doctor", "--json stands before the verb; options follow it: `doctor --json`"),
        ("demos --seed 3 collect ENV", "--seed stands before the action; options follow it: `coll"),
        ("--verson", "VERB"),
    ],
)
def test_a_wrong_verb_is_named_with_what_may_be_meant(command, expected):
    with pytest.raises(InputError) as refusal:
        parse(shlex.split(command))
    assert expected in str(refusal.value)
    assert is_one_line(str(refusal.value))


def test_help_shows_ranges_choices_and_what_a_resume_may_do(capsys):
    shown = {}
    for verb in ("train", "resume"):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        shown[verb] = " ".join(capsys.readouterr().out.split())
    tau = "--agent.tau FLOAT Share of the online network in each target update (1 - polyak). Must"
    assert f"{tau} lie in (0, 1]. (default: 0.005)" in shown["train"]
    assert f"{tau} lie in (0, 1]. (needs --allow-change)" in shown["resume"]
    assert "--agent.deploy {averaged,online}" in shown["train"]
    assert "--seed INT Root of every random draw. Must not be negative. (cannot" in shown["resume"]
    for setting in walk(PRESETS["fast"]):
        assert f"--{setting.name.replace('_', '-')}" in shown["train"]
        assert setting.help in shown["train"]


@pytest.mark.parametrize("verb", ["envs check", "demos expand", "demos import"])
def test_verbs_that_take_declarations_explain_them_as_train_does(verb, capsys):
    with pytest.raises(SystemExit):
        main([*verb.split(), "--help"])
    printed = capsys.readouterr().out
    assert "--task.success-terminates" in printed
    assert ("--task.hand-steps" in printed) == (verb != "demos import")
    assert printed.count("(default: ignore)") == (verb == "demos expand")


@pytest.mark.parametrize("command", ["demos find", "demos expand", "teleop", "envs check"])
def test_help_shows_the_options_of_a_verb_before_those_that_declare_its_task(command, capsys):
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    shown = capsys.readouterr().out
    assert "--task." not in shown.partition("\n\n")[0]
    assert shown.count("\ntask:\n") == 1
