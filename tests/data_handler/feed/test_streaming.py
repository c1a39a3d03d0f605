"""The feed of a stream on several ranks, here threads of one process: what they count together."""

import threading

import pytest

from farm_ray.data_handler.feed.base import FeedPlan
from farm_ray.data_handler.order import Position
from farm_ray.errors import DataProblemError
from farm_ray.ranks import Ranks
from tests.stream_runs import text_stream, write_tables


class Talk:
    """What threads say to each other in place of processes."""

    def __init__(self, size):
        self.said, self.barrier = [None] * size, threading.Barrier(size, timeout=20)

    def rank(self, number):
        talk = self

        class Rank(Ranks):
            __slots__ = ()

            def gather(self, value):
                talk.said[number] = value
                talk.barrier.wait()
                everything = list(talk.said)
                talk.barrier.wait()
                return everything

            def sum(self, *values):
                return [sum(column) for column in zip(*self.gather(values), strict=True)]

        return Rank(rank=number, world_size=len(self.said))


def on_ranks(stream, size, *, epochs=3):
    """Per rank the ids that were quarantined, sorted, or the error's message."""
    talk, found = Talk(size), [None] * size
    plan = FeedPlan(epochs=epochs, batch_size=8)

    def run(number):
        feed = stream.feed(talk.rank(number), plan)
        try:
            for epoch in range(epochs):
                for _ in feed.steps(Position(epoch=epoch)):
                    pass
            found[number] = sorted(feed.problems()["id"].to_pylist())
        except DataProblemError as error:
            found[number] = str(error)
        finally:
            feed.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Seven files, three of them with a bad row each."""
    data = write_tables(tmp_path_factory.mktemp("tables"))
    for number in (1, 4, 5):
        with (data / f"part-{number}.tsv").open("a") as file:
            file.write("a film\tunknown\n")
    return data


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_bad_rows_are_told_once_whoever_meets_them_in_which_pass(tiny_folder, tables, ranks):
    stream = text_stream(tiny_folder, tables, max_problem_share=3 / 180).stream
    (told,) = {tuple(ids) for ids in on_ranks(stream, ranks)}
    assert [name.partition(":")[0] for name in told] == ["part-1.tsv", "part-4.tsv", "part-5.tsv"]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_bad_rows_are_too_many_for_all_ranks_at_once(tiny_folder, tables, ranks):
    stream = text_stream(tiny_folder, tables, max_problem_share=2.5 / 205).stream
    (message,) = set(on_ranks(stream, ranks, epochs=1))
    assert message.startswith("3 of ")


@pytest.mark.parametrize(("batch_size", "lanes"), [(8, 4), (8, 5), (8, 8), (16, 3)])
def test_steps_are_estimated_by_the_longest_lane(tiny_folder, tables, batch_size, lanes):
    stream = text_stream(tiny_folder, tables, max_problem_share=0.1, batch_size=batch_size, lanes=lanes).stream
    feed = stream.feed(Ranks(), FeedPlan(epochs=1, batch_size=batch_size))
    assert sum(1 for _ in feed.steps(Position())) == pytest.approx(feed.steps_per_epoch, rel=0.1)
