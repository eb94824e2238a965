"""The propagation matrix of a GCN layer."""

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from augmentors._checks import check_at_least, check_weights
from augmentors._graphs import check_structure
from augmentors._sparse import csr_matrix
from gcl._checks import check_embedding, check_own_degrees


def gcn_matrix(data: Data, dtype: torch.dtype = torch.float32, **options: bool) -> Tensor:
    r"""The propagation matrix of a GCN layer, sparse (CSR): ``gcn_matrix(data) @ x`` propagates features.

    .. math:: \hat A = \tilde D^{-1/2} (A + I) \tilde D^{-1/2}

    Args:
        data: graph; ``edge_weight`` counts, edges go from the first to the second row of ``edge_index``.
        dtype: of the entries, a floating-point one.
        **options: ``improved``, ``add_self_loops``, as of PyG's ``GCNConv``.

    Raises:
        TypeError, ValueError: the graph is not valid or a batch of :func:`gcl.data.neighbor_loader`, or ``dtype`` is
            not floating-point.

    **Source:** GCN (arXiv 1609.02907), eq. 2. **Differs:** nothing.

    Example:
        >>> gcn_matrix(Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)).to_dense()
        tensor([[0.5000, 0.5000],
                [0.5000, 0.5000]])
    """
    import scipy.sparse as sp

    check_structure(data, edges=True)
    check_own_degrees("gcn_matrix", data)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise TypeError(f"dtype must be a floating-point torch.dtype, got {dtype!r}")
    n, device = data.num_nodes, data.edge_index.device
    wide, weight = torch.promote_types(dtype, torch.float32), data.get("edge_weight")
    if weight is not None:
        check_weights("data.edge_weight", weight)
        weight = weight.to(wide)
    edge_index, weight = gcn_norm(data.edge_index, weight, n, dtype=wide, **options)
    col, row = edge_index.to("cpu", torch.int32).numpy()  # half the memory of int64
    matrix = sp.coo_matrix((weight.cpu().numpy(), (row, col)), (n, n)).tocsr()
    start, col, value = (torch.from_numpy(part).to(device) for part in (matrix.indptr, matrix.indices, matrix.data))
    return csr_matrix(start, col, value.to(dtype), n)


def propagate(data: Data, hops: int) -> Tensor:
    r"""Propagate the features ``hops`` times as a GCN layer does, without weights: :math:`\hat A^k X` ``[N, F]``.

    **Source:** SGC (arXiv 1902.07153), eq. 7. **Differs:** nothing.

    Example:
        >>> data = Data(x=torch.tensor([[1.0], [0.0]]), edge_index=torch.tensor([[0, 1], [1, 0]]))
        >>> propagate(data, hops=1)
        tensor([[0.5000],
                [0.5000]])
    """
    check_at_least("hops", hops, 0)
    check_structure(data, edges=True)
    check_embedding("data.x", data.x)
    dtype = torch.promote_types(data.x.dtype, torch.float32)
    x, a_hat = data.x.to(dtype), gcn_matrix(data, dtype)
    for _ in range(hops):
        x = a_hat @ x
    return x.to(data.x.dtype)
