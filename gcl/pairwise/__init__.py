"""Row-wise reductions over all pairs of embeddings, in O(N) memory, and products and sums along edges, in O(E).

Each reduction returns one number per row, so weights, temperatures and means are plain autograd. Both backends compute
the same numbers: ``"tiles"`` (torch, any device, the default) recomputes blocks of the similarity matrix in the
backward pass; ``"triton"`` does so inside a CUDA kernel (an optional extra, not yet run on a GPU).
"""

from gcl.pairwise._primitives import cross_lse, edge_dot, edge_sum, row_sum, sym_lse

__all__ = ["cross_lse", "edge_dot", "edge_sum", "row_sum", "sym_lse"]
