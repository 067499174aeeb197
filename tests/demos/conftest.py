"""Where the tests of Minari datasets keep them."""

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
