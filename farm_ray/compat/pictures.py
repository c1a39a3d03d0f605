"""Small pictures under the names of FARM's, for programs that print them."""

from __future__ import annotations

_FIELD = "~" * 40

FLOWERS = " @  @   @\n |  |   |"
FENCE = "=|==|==|==|==|="
FENCE_SEP = FENCE
BUSH_SEP = _FIELD
SAMPLE = f"sample\n{_FIELD}"
GROWING_TREE = """
   .o.
  oo8oo
   o8o
    I
"""
TREE_1 = TREE_1_MEDIUM = TREE_1_SMALL = GROWING_TREE
TRACTOR_SMALL = "[_]o=O"
TRACTOR_WITH_SILO_LINE = f"{TRACTOR_SMALL}      (|)"
BARN_LINE = f"/^^^\\ {FENCE}"
BARN_SMALL = """
  /^^^\\
  |   |
  |_n_|
"""
WELCOME_BARN = f"{BARN_SMALL}  farm_ray\n"
WATERING_CAN = " __/|_\n/  |_|)"
PIG = " (o.o)~"
SMALL_PIG = "(oo)~"
ROOSTER = " <\\\n (>"
WORKER_M = WORKER_F = WORKER_X = """
 o
/|\\
/ \\
"""
