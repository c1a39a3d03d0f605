"""Lanes: going on reads only what is left, single windows are not read ahead without limit, and nothing is lost."""

import time
from dataclasses import replace

import pytest

from farm_ray.data_handler.data_silo.lanes import Lanes
from farm_ray.data_handler.order import Position
from farm_ray.data_handler.processor import BertStyleLMProcessor
from tests.stream_runs import documents_stream, write_documents


@pytest.fixture
def silo(tiny_folder, tmp_path):
    write_documents(tmp_path / "train.txt", documents=300)
    return documents_stream(tiny_folder, tmp_path)


@pytest.fixture
def read(monkeypatch):
    """The places of the ranges that were read."""
    places = []
    original = BertStyleLMProcessor.read

    def recorded(self, part):
        places.append(part.start)
        return original(self, part)

    monkeypatch.setattr(BertStyleLMProcessor, "read", recorded)
    return places


def steps(silo, *, position=None, epochs=1):
    """For each micro-batch from a position on: the ids of its rows, and where the lanes stand then."""
    order = silo.stream.order(8)
    lanes = Lanes(silo.stream, order, range(order.lanes), epochs=epochs)
    start = position or Position()
    lanes.go_to(start)
    found, number = [], start.step
    while parts := lanes.take(number):
        found.append((sorted(name for part in parts for name in part.ids()), tuple(lanes.positions().values())))
        number += 1
    lanes.close()
    return found


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_going_on_takes_the_same_rows_and_reads_only_what_is_left(silo, read, share):
    whole = steps(silo)
    done = int(len(whole) * share)
    read.clear()
    rest = steps(silo, position=Position(epoch=0, step=done, lanes=whole[done - 1][1]))
    assert [rows for rows, _ in rest] == [rows for rows, _ in whole[done:]]
    ranges = len(silo.stream.ranges)
    assert len(read) == len(set(read)) <= ranges * (1 - share) + silo.stream.lanes + 1


def test_the_first_batch_needs_a_window_of_each_lane_and_few_more(silo, read):
    order = silo.stream.order(8)
    lanes = Lanes(silo.stream, order, range(order.lanes), epochs=5)
    lanes.go_to(Position())
    parts = lanes.take(0)
    assert len(parts) == order.lanes
    lanes.close()
    assert len(read) <= 3 * order.lanes + 2


def test_every_row_is_taken_once(silo):
    rows = [name for names, _ in steps(silo) for name in names]
    assert len(rows) == len(set(rows))


def test_a_lane_alone_takes_what_it_takes_among_others(silo):
    """What a rank with some of the lanes sees of them does not depend on who has the others."""
    order = silo.stream.order(8)
    together = Lanes(silo.stream, order, [0, 1, 2, 3], epochs=1)
    alone = Lanes(silo.stream, order, [1, 3], epochs=1, ranks=2)
    for lanes in (together, alone):
        lanes.go_to(Position())
    for number in range(12):
        of_all, own = together.take(number), alone.take(number)
        assert [part.ids() for part in of_all[1::2]] == [part.ids() for part in own]
    together.close()
    alone.close()


@pytest.mark.cluster
@pytest.mark.usefixtures("ray_cluster")
def test_a_training_that_wants_no_data_for_long_is_no_hang(silo, monkeypatch):
    """Ray Data takes a consumer that pauses, for an evaluation say, for an execution without progress."""
    monkeypatch.setattr("farm_ray.cluster.connection._NO_PROGRESS_SECONDS", 1)
    order = silo.stream.order(8)
    lanes = Lanes(replace(silo.stream, on_ray=True), order, range(order.lanes), epochs=9)
    lanes.go_to(Position())
    found = [sorted(name for part in lanes.take(0) for name in part.ids())]
    time.sleep(4)
    number = 1
    while parts := lanes.take(number):
        found.append(sorted(name for part in parts for name in part.ids()))
        number += 1
    lanes.close()
    assert found == [rows for rows, _ in steps(silo)]
