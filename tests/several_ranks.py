"""A function run by several ranks, each a process of its own, without Ray."""

import multiprocessing

import torch.multiprocessing as mp

_MOST_OF_A_RANKS_START = ["tests.runs", "transformers.models.bert.modeling_bert"]


def on_several_ranks(function, args, *, ranks):
    """Calls `function(rank, *args)` in so many new processes, and waits for them.

    They are forked from a process that has done nothing but these imports, which take ten times as long as a test.
    """
    multiprocessing.set_forkserver_preload(_MOST_OF_A_RANKS_START)
    mp.start_processes(function, args, nprocs=ranks, start_method="forkserver")
