"""Each package is blamed for itself alone, whatever the others do to the process."""

import os

from headstart.doctor.packages import try_imports


def test_one_that_ends_the_process_does_not_keep_the_others_from_being_tried(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    sources = {
        "first": "",
        "aborting": "import os; os.abort()",
        "leaving": "import os; os._exit(0)",
        "missing": "import nothing_of_that_name",
        "graphics": "import os; assert 'MUJOCO_GL' not in os.environ",
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
    printed = try_imports([*sources])
    assert {name: printed[name]["error"] for name in sources} == {
        "first": None,
        "aborting": "its process was killed (Aborted)",
        "leaving": "it ends the process that imports it",
        "missing": "ModuleNotFoundError: No module named 'nothing_of_that_name'",
        "graphics": None,
    }
