"""What ranks say to each other: alone, and as two gloo processes."""

import pytest
import torch
import torch.distributed as dist

from farm_ray.errors import ConfigError
from farm_ray.ranks import Ranks
from tests.several_ranks import on_several_ranks


def test_alone_nothing_needs_a_process_group():
    ranks = Ranks()
    assert ranks.is_first
    assert ranks.sum(1, torch.tensor(0.5, requires_grad=True)) == [1.0, 0.5]
    assert ranks.gather({"a": 1}) == [{"a": 1}]
    assert ranks.from_first("x") == "x"
    assert ranks.done_by_first(lambda: "x") == "x"


class UnsendableError(Exception):
    def __reduce__(self):
        raise TypeError("this one stays")


def raised(ranks, error):
    """What comes of work that fails on rank 0; rank 1 must not wait."""

    def work():
        assert ranks.is_first
        raise error

    try:
        ranks.done_by_first(work)
    except Exception as caught:
        return type(caught).__name__, str(caught)
    return None


def talk(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    ranks = Ranks(rank=rank, world_size=2)
    said = {
        "first": ranks.is_first,
        # float32 would lose the row in 2**24 + 1.
        "sum": ranks.sum(torch.tensor(0.25 * (rank + 1)), 2**24 + rank),
        "gather": ranks.gather({"rank": rank, "rows": list(range(rank))}),
        "from_first": ranks.from_first(f"of {rank}" if ranks.is_first else None),
        "none": ranks.from_first(None if ranks.is_first else "not heard"),
    }
    said["done"] = ranks.done_by_first(lambda: f"by {rank}")
    said["errors"] = [
        raised(ranks, error) for error in (ConfigError("a wrong number", value=7), UnsendableError("odd"))
    ]
    torch.save(said, folder / f"said-{rank}")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    on_several_ranks(talk, (folder,), ranks=2)
    return [torch.load(folder / f"said-{rank}") for rank in (0, 1)]


def test_sums_are_the_same_on_every_rank_and_exact(said):
    assert said[0]["sum"] == said[1]["sum"] == [0.75, 2**25 + 1]


def test_values_come_in_rank_order(said):
    assert said[0]["gather"] == said[1]["gather"] == [{"rank": 0, "rows": []}, {"rank": 1, "rows": [0]}]


def test_one_works_for_all(said):
    assert [one["done"] for one in said] == ["by 0", "by 0"]


def test_what_the_first_raises_is_raised_on_all(said):
    assert said[0]["errors"] == [("ConfigError", "a wrong number"), ("UnsendableError", "odd")]
    assert said[1]["errors"] == [("ConfigError", "a wrong number"), ("RuntimeError", "UnsendableError: odd")]


def test_one_decides_for_all(said):
    assert [one["first"] for one in said] == [True, False]
    assert [one["from_first"] for one in said] == ["of 0", "of 0"]
    assert [one["none"] for one in said] == [None, None]
