"""The propagation matrix of a GCN layer."""

import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.nn.conv.gcn_conv import gcn_norm

from augmentors._sparse import csr_matrix


def gcn_matrix(data: Data, dtype: torch.dtype = torch.float32, **options: bool) -> Tensor:
    r"""The propagation matrix of a GCN layer, sparse (CSR): ``gcn_matrix(data) @ x`` propagates features.

    .. math:: \hat A = \tilde D^{-1/2} (A + I) \tilde D^{-1/2}

    Args:
        data: graph; ``edge_weight`` counts, edges go from the first to the second row of ``edge_index``.
        dtype: of the entries, float32 or float64.
        **options: ``improved``, ``add_self_loops``, as of PyG's ``GCNConv``.

    **Source:** GCN (arXiv 1609.02907), eq. 2. **Differs:** nothing.

    Example:
        >>> gcn_matrix(Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)).to_dense()
        tensor([[0.5000, 0.5000],
                [0.5000, 0.5000]])
    """
    import scipy.sparse as sp

    n, device = data.num_nodes, data.edge_index.device
    edge_index, weight = gcn_norm(data.edge_index, data.get("edge_weight"), n, dtype=dtype, **options)
    col, row = edge_index.to("cpu", torch.int32).numpy()  # half the memory of int64
    matrix = sp.coo_matrix((weight.cpu().numpy(), (row, col)), (n, n)).tocsr()
    start, col, value = (torch.from_numpy(part).to(device) for part in (matrix.indptr, matrix.indices, matrix.data))
    return csr_matrix(start, col, value, n)


def propagate(data: Data, hops: int) -> Tensor:
    r"""Propagate the features ``hops`` times as a GCN layer does, without weights: :math:`\hat A^k X` ``[N, F]``.

    **Source:** SGC (arXiv 1902.07153), eq. 7. **Differs:** nothing.

    Example:
        >>> data = Data(x=torch.tensor([[1.0], [0.0]]), edge_index=torch.tensor([[0, 1], [1, 0]]))
        >>> propagate(data, hops=1)
        tensor([[0.5000],
                [0.5000]])
    """
    x, a_hat = data.x, gcn_matrix(data, data.x.dtype)
    for _ in range(hops):
        x = a_hat @ x
    return x
