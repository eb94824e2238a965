"""Dense references of POT in N x N arrays, and random graphs and encoders."""

import torch
import torch.nn.functional as F
from torch import nn
from torch_geometric.nn import GCN

from gcl.nn import gcn
from tests.inputs import seeded


def adjacency(edge_index, n, dtype=torch.double):
    """How many edges go from j to i, in row i and column j; without loops."""
    a = torch.zeros(n, n, dtype=dtype)
    a.index_put_((edge_index[1], edge_index[0]), torch.ones(edge_index.size(1), dtype=dtype), accumulate=True)
    return a.fill_diagonal_(0)


def normalized(a):
    """D^-1/2 (A + I) D^-1/2 for adjacencies ``[..., N, N]``."""
    scale = (1 + a.sum(-1)).rsqrt()
    return scale[..., :, None] * (a + torch.eye(a.size(-1), dtype=a.dtype)) * scale[..., None, :]


def budgets(a, p):
    degree = a.sum(1)
    return torch.minimum((p * degree).round(), (degree - 1).clamp(min=0))


def embeddings(encoder, x, a):
    """The encoder on adjacencies ``[..., N, N]``."""
    h = x
    for i, conv in enumerate(encoder.convs):
        h = normalized(a) @ (h @ conv.lin.weight.T) + conv.bias
        if i + 1 < len(encoder.convs) or has_final_activation(encoder):
            h = encoder.act(h)
    return h


def has_final_activation(encoder):
    return getattr(encoder, "final_activation", False)  # PyG's own GCN has none


def reference_score(encoder, x, edge_index, view, contrast, p):
    """POT's score as its authors compute it: entry bounds N x N, coefficients N x F, products N x N."""
    (w1, b1), (w2, b2) = ((conv.lin.weight.T, conv.bias) for conv in encoder.convs)
    alpha = float(encoder.act.weight.detach()) if isinstance(encoder.act, nn.PReLU) else 0.0
    n = x.size(0)
    a, eye = adjacency(edge_index, n, x.dtype), torch.eye(n, dtype=x.dtype)
    degree = a.sum(1)
    low, high = (degree + 1) ** -0.5, (degree + 1 - budgets(a, p)) ** -0.5
    upper, lower = high[:, None] * (a + eye) * high, torch.diag(low**2)

    def interval(y, b):
        middle, radius = (upper + lower) / 2 @ y, (upper - lower) / 2 @ y.abs()
        return middle - radius + b, middle + radius + b

    def lines(least, greatest):
        crossing = (least < 0) & (greatest > 0)
        width = torch.where(crossing, greatest - least, 1)
        stable = torch.where(least >= 0, 1.0, alpha).to(least.dtype)
        slope = torch.where(crossing, (greatest - alpha * least) / width, stable)
        return slope, torch.where(crossing, (alpha - 1) * greatest * least / width, 0)

    s1, t1 = lines(*interval(x @ w1, b1))
    clean = encoder.act(low[:, None] * (a + eye) * low @ (x @ w1) + b1) @ w2
    s2, t2 = torch.ones_like(clean), torch.zeros_like(clean)
    if has_final_activation(encoder):
        s2, t2 = lines(*interval(clean, b2))
    minus = lambda g: (-g).clamp(min=0)  # noqa: E731
    g = (s2 * contrast) @ w2.T
    coefficient = (s1 * g) @ w1.T
    beta1 = ((s1 * g) @ b1[:, None])[:, 0] - (minus(g) @ t1.T).diagonal()
    beta2 = ((s2 * contrast) @ b2[:, None])[:, 0] - (minus(contrast) @ t2.T).diagonal()
    m = normalized(adjacency(view, n, x.dtype))
    return m @ (m @ (x * coefficient).sum(1) + beta1) + beta2


def directions(h, eps=1e-5):
    unit = h / (h.square().sum(1, keepdim=True) + eps**2).sqrt()
    n = len(h)
    return torch.stack([unit[i] - unit[torch.arange(n) != i].mean(0) for i in range(n)])


def reference_loss(encoder, edge_index, views, rates, rows=slice(None)):
    total = 0
    for (x, seen, _), (_, _, h), p in ((*views, rates[0]), (*views[::-1], rates[1])):
        s = reference_score(encoder, x, edge_index, seen, directions(h), p)[rows]
        total = total + F.binary_cross_entropy_with_logits(s, torch.ones_like(s)) / 2
    return total


def random_graph(n, e, undirected=True, seed=0):
    generator = seeded(seed)
    edge_index = torch.randint(n, (2, e), generator=generator)
    if undirected:
        edge_index = edge_index[:, edge_index[0] != edge_index[1]]
        edge_index = torch.cat([edge_index, edge_index.flip(0)], dim=1)
    return edge_index


def random_encoder(activation="relu", final=True, in_dim=6, hidden=8, out_dim=5, num_layers=2, seed=0):
    """An encoder in float64 with random biases; PReLU's slope 0.25."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if final:
            encoder = gcn(in_dim, hidden, num_layers, out_dim, act=activation)
        else:
            encoder = GCN(in_dim, hidden, num_layers, out_dim, act=activation)
        encoder = encoder.double()
        for name, parameter in encoder.named_parameters():
            if name.endswith("bias"):
                nn.init.normal_(parameter, std=0.3)
    return encoder
