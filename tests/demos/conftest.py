"""Where the tests of Minari datasets keep them."""

import contextlib
import io
import sys
from types import ModuleType

import pytest


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty local store, and a stand-in for jax, which Minari's collector wants for one call."""
    from minari_datasets import tree_map

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "store"))
    jax, jax.tree_util = ModuleType("jax"), ModuleType("jax.tree_util")
    jax.tree_util.tree_map = tree_map
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setitem(sys.modules, "jax.tree_util", jax.tree_util)
    return tmp_path / "store"


@pytest.fixture
def read_here(monkeypatch):
    """Have the reader read in this process: what the content decides needs none of its own."""
    from headstart.demos.foreign import hdf5_reader, minari_files

    monkeypatch.setattr(hdf5_reader, "_limit", lambda memory: None)

    def run(arguments, seconds):
        output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with contextlib.redirect_stdout(output):
            code = hdf5_reader.main(*arguments)
        output.seek(0)
        if code:
            raise ValueError(f"data/main_data.hdf5: {output.read()}")

    monkeypatch.setattr(minari_files, "_run_reader", run)
