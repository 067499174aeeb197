"""No garbage is looked for while modules are imported."""

import gc

from headstart.cli.parser import without_collection


def test_collection_is_off_within_and_as_before_afterwards():
    was = gc.isenabled()
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled() == was


def test_what_imports_nothing_stays_within_the_reach_of_the_collector():
    before = gc.get_freeze_count()
    with without_collection():
        pass
    assert gc.get_freeze_count() == before
