"""The sets of a run: what both kinds of training sets answer for themselves, and how they travel."""

import ast
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from farm_ray.data_handler.feed.base import FeedPlan
from farm_ray.data_handler.order import Position
from farm_ray.data_handler.run_sets import RunSets
from farm_ray.data_handler.samples_to_features.masking import Masking
from farm_ray.errors import ConfigError
from farm_ray.ranks import Ranks
from tests.raised import raised
from tests.runs import small_silo
from tests.stream_runs import text_stream, write_tables

TRAIN = Path(__file__).parents[2] / "farm_ray" / "train"


class Bag:
    """A carrier without a cluster."""

    def __init__(self, *, elastic=False):
        self.elastic, self.tables = elastic, {}

    def put(self, set_name, table, _blocks):
        name = next((name for name, known in self.tables.items() if known is table), set_name)
        self.tables[name] = table
        return name

    def arrived(self, sets):
        return pickle.loads(pickle.dumps(sets.sent(self))).received(self.tables.__getitem__)


@pytest.fixture(scope="module")
def in_memory(tiny_folder):
    return RunSets.of(small_silo(tiny_folder).data)


@pytest.fixture(scope="module")
def stream(tiny_folder, tmp_path_factory):
    silo = text_stream(tiny_folder, write_tables(tmp_path_factory.mktemp("tables")))
    return RunSets.of(silo.data)


@pytest.mark.parametrize("file", sorted(TRAIN.glob("*.py")), ids=lambda file: file.name)
def test_nobody_who_trains_asks_which_kind_it_is(file):
    asked = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance"
    ]
    assert not [call for call in asked if "Set" in call or "Silo" in call]


@pytest.mark.parametrize("kind", ["in_memory", "stream"])
def test_a_set_trains_alike_where_it_was_sent(kind, request):
    sets = request.getfixturevalue(kind)
    plan = FeedPlan(epochs=1, batch_size=8, grad_acc_steps=2)

    def steps(rows):
        feed = rows.feed(Ranks(), plan)
        feed.check()
        try:
            found = [(step.rows, step.row_sum) for step in feed.steps(Position())]
            return found, feed.lanes, feed.batches_per_epoch
        finally:
            feed.close()

    arrived = Bag().arrived(sets).train
    assert arrived.content() == sets.train.content()
    # Ray would read it there; here a thread does.
    there = arrived if kind == "in_memory" else pickle.loads(pickle.dumps(sets.train))
    assert steps(there) == steps(sets.train)


def test_sets_of_one_table_share_it_on_the_way_and_there(in_memory):
    assert in_memory.train.table is in_memory.dev.table
    bag = Bag()
    arrived = bag.arrived(in_memory)
    assert list(bag.tables) == ["train"]
    assert len(arrived.loaded()) == 1
    assert arrived.train.ids() == in_memory.train.ids()
    assert arrived.dev.ids() == in_memory.dev.ids()
    assert arrived.test is None


def test_masks_are_the_same_where_rows_were_sent(in_memory):
    masking = Masking(mask_token_id=4, vocab_size=30, masked_lm_prob=0.5)
    rows, bag = replace(in_memory.train, masking=masking), Bag()
    arrived = rows.sent("train", bag).received(bag.tables.__getitem__)
    assert arrived.masking == masking


@pytest.mark.parametrize("elastic", [True, False])
def test_a_stream_is_read_on_ray_with_what_elastic_workers_leave(stream, elastic):
    bag = Bag(elastic=elastic)
    arrived = bag.arrived(stream).train
    assert arrived.on_ray
    assert (arrived.read_cpus == 0) == elastic
    assert bag.tables == {}


def test_only_a_stream_has_a_most_of_ranks(in_memory, stream):
    in_memory.train.check_ranks(8, 1000)
    stream.train.check_ranks(8, stream.train.lanes)
    with raised(ConfigError, "more-workers-than-lanes"):
        stream.train.check_ranks(8, stream.train.lanes + 1)


@pytest.mark.parametrize("kind", ["in_memory", "stream"])
def test_widths_are_rounded_up_in_all_sets(kind, request):
    sets = request.getfixturevalue(kind).padded_to(8)
    assert {rows.pad_to_multiple_of for rows in (sets.train, sets.dev, sets.test) if rows is not None} == {8}
