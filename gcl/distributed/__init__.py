"""Distributed training: exact losses over the rows of all processes, process groups and their randomness."""

from gcl.distributed._losses import mean_over_ranks, sharded_info_nce, with_all_ranks
from gcl.distributed._processes import Process, local_rank_zero_first, process_group, reseed

__all__ = [
    "Process",
    "local_rank_zero_first",
    "mean_over_ranks",
    "process_group",
    "reseed",
    "sharded_info_nce",
    "with_all_ranks",
]
