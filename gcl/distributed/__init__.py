"""Training in several processes: exact losses over the rows of all, and the processes themselves."""

from gcl.distributed.losses import gathered, info_nce, mean
from gcl.distributed.processes import Process, first_alone, process_group, reseed

__all__ = ["Process", "first_alone", "gathered", "info_nce", "mean", "process_group", "reseed"]
