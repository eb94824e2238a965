"""Random arguments by the names of parameters: mostly right ones, and some that no caller should get away with."""

import random
from functools import partial

import networkx as nx
import torch
import torch_geometric.nn as pyg
from torch_geometric.data import Batch, Data, HeteroData

import augmentors
import gcl

FLOATS = (torch.float32, torch.float32, torch.float32, torch.float64, torch.float16, torch.bfloat16)
SIZES = (0, 1, 2, 3, 5, 8, 13, 30, 60)
WRONG_NUMBERS = (
    -1,
    0,
    1.5,
    2,
    -0.5,
    float("nan"),
    float("inf"),
    "half",
    None,
    True,
    40,
    1e-30,
    [0.1],
    torch.tensor(0.5),
)
FEATURES = 4


class Inputs:
    """The arguments of one call: sizes, dtype and graph are shared, so that most calls fit together."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.n, self.d = self.rng.choice(SIZES), self.rng.choice((1, 2, 6, 6, 6))
        self.dtype = self.rng.choice(FLOATS)

    def chance(self, p):
        return self.rng.random() < p

    def rows(self, n=None, d=None, dtype=None):
        n, d = self.n if n is None else n, self.d if d is None else d
        scale = self.rng.choice((1.0, 1.0, 1.0, 1e-6, 1e3))
        z = (scale * torch.randn(n, d, generator=self.generator, dtype=torch.double)).to(dtype or self.dtype)
        if n and self.chance(0.1):
            z[self.rng.randrange(n)] = 0
        return z

    def damaged_rows(self):
        z = self.rows()
        choices = (
            lambda: self.rows(n=self.n + 1),
            lambda: self.rows(d=self.d + 1),
            lambda: self.rows(d=0),
            lambda: z.long(),
            lambda: z[:, 0] if self.d else z,
            lambda: z.index_fill(0, torch.tensor([0]), float("nan")) if self.n else z,
            lambda: z.double() * 1e30,
            lambda: z.to_sparse(),
            lambda: z.tolist(),
            lambda: z.double().numpy(),
            lambda: None,
            lambda: self.rows(dtype=torch.float64),
            lambda: z[None],
        )
        return self.rng.choice(choices)()

    def edges(self, n):
        e = self.rng.choice((0, 1, 3 * n, 6 * n)) if n else 0
        edge_index = torch.randint(max(n, 1), (2, e), generator=self.generator)
        if self.chance(0.6):
            edge_index = torch.cat([edge_index, edge_index.flip(0)], 1)
        return edge_index[:, :0] if n == 0 else edge_index

    def graph(self, n=None, dtype=torch.float32):
        n = self.n if n is None else n
        data = Data(x=self.rows(n, FEATURES, dtype), edge_index=self.edges(n))
        if self.weights:
            data.edge_weight = torch.rand(data.num_edges, generator=self.generator)
        if self.attributes:
            data.edge_attr = torch.randn(data.num_edges, 3, generator=self.generator)
        return data

    def single_graph(self):
        self.weights, self.attributes = self.chance(0.15), self.chance(0.15)
        data = self.graph(dtype=torch.float32 if self.chance(0.9) else self.dtype)
        data.y = self.classes()
        return data

    def batch(self):
        self.weights, self.attributes = self.chance(0.15), self.chance(0.15)
        sizes = [self.rng.choice((0, 1, 2, 5, 9)) for _ in range(self.rng.choice((1, 2, 3, 5)))]
        graphs = [self.graph(n) for n in sizes]
        for number, graph in enumerate(graphs):
            graph.y = torch.tensor([number % 2])
        return Batch.from_data_list(graphs)

    def hetero(self):
        data = HeteroData()
        for kind in ("paper", "author"):
            data[kind].x = self.rows(self.rng.choice((1, 4, 9)), FEATURES, torch.float32)
        for ends in (("paper", "cites", "paper"), ("author", "writes", "paper")):
            low = torch.randint(data[ends[0]].num_nodes, (1, 9), generator=self.generator)
            data[ends].edge_index = torch.cat([low, torch.randint(data[ends[2]].num_nodes, (1, 9))])
        return data

    def damaged_graph(self):
        data = self.single_graph()
        kind = self.rng.randrange(14)
        if kind == 0:
            data.x = self.damaged_rows()
        elif kind == 1:
            data.edge_index = data.edge_index.float()
        elif kind == 2:
            data.edge_index = torch.tensor([[0], [self.n]])
        elif kind == 3:
            data.edge_weight = self.rng.choice((torch.ones(3), torch.tensor(1.0), -torch.ones(data.num_edges)))
        elif kind == 4:
            data.edge_weight = torch.ones(data.num_edges, 3)
        elif kind == 5:
            data.edge_weight = torch.ones(data.num_edges).long()
        elif kind == 6:
            del data.edge_index
        elif kind == 7:
            del data.x
        elif kind == 8:
            del data.y
        elif kind == 9:
            data.y = self.rng.choice((data.y[:-1], data.y.float() + 0.5, -torch.ones(self.n).long(), data.y.tolist()))
        elif kind == 10:
            return self.hetero()
        elif kind == 11:
            return self.rng.choice((None, "karate", [data], data.x, (data.x, data.edge_index)))
        elif kind == 12:
            data.edge_index = data.edge_index.flatten()
        else:
            data.x = data.x.double()
        return data

    def classes(self, n=None):
        n = self.n if n is None else n
        return torch.randint(3, (n,), generator=self.generator)

    def labels(self):
        y = self.classes()
        tasks = torch.randint(2, (self.n, 2), generator=self.generator).float()
        if self.n:
            tasks[0, 0] = float("nan")
        return self.rng.choice((y, y, y, y.tolist(), y.numpy(), tasks, y.clamp(max=1)))

    def split(self):
        order = torch.randperm(self.n, generator=self.generator)
        third = max(self.n // 3, 1)
        return self.rng.choice((gcl.eval.Split, lambda *parts: parts))(
            order[:third], order[third : 2 * third], order[2 * third :]
        )

    def encoder(self):
        out = self.d
        builders = (
            lambda: gcl.nn.gcn(FEATURES, 8, 2, out),
            lambda: gcl.nn.gcn(FEATURES, 8, 2, out, act="prelu", norm="layer_norm"),
            lambda: gcl.nn.gin(FEATURES, 8, 2, out),
            lambda: gcl.nn.sage(FEATURES, 8, 2, out),
            lambda: pyg.GCN(FEATURES, 8, 2, out),
            lambda: pyg.GAT(FEATURES, 8, 2, out, edge_dim=3),
            lambda: pyg.SGConv(FEATURES, out, K=2),
            lambda: torch.nn.Linear(FEATURES, out),
        )
        return self.rng.choice(builders[:1] * 4 + builders)()

    def method(self):
        name = self.rng.choice([n for n in gcl.methods.__all__ if n not in NO_METHODS])
        return build_method(name, self)

    def number(self, *right):
        return self.rng.choice(right)


NO_METHODS = {"Method", "TwoView", "Pair", "Regularized", "StructComp", "check_compressible"}


def build_method(name, inputs):
    """A method on a random encoder that it takes."""
    kind, encoder = getattr(gcl.methods, name), inputs.encoder()
    dim = {} if name in ("CCASSG", "SSGE", "SCE", "COLES") else {"dim": inputs.d}
    if name.startswith("MVGRL"):
        return kind(encoder, gcl.nn.gcn(FEATURES, 8, 2, inputs.d, normalize=False), **dim)
    if name.startswith("GraphMAE"):
        return kind(encoder, **dim, num_features=FEATURES)
    if name == "HopContrast":
        return kind(gcl.nn.hops(FEATURES, 8, inputs.d))
    if name == "ADGCL":
        return kind(encoder, gcl.nn.gin(FEATURES, 8, 2, inputs.d), **dim)
    if name in ("ARIEL", "ARIELGraph"):
        dim["attack"] = partial(augmentors.AdversarialView, steps=2)
    return kind(encoder, **dim)


def tensor(*size):
    return lambda inputs: torch.rand(*(getattr(inputs, s) if isinstance(s, str) else s for s in size))


def choice(*values):
    return lambda inputs: inputs.rng.choice(values)


RIGHT = {
    **dict.fromkeys(("z", "z1", "z2", "h", "h_negative", "h1", "h2", "q", "k", "x", "prediction"), Inputs.rows),
    "g": lambda i: i.rows(n=max(i.n // 3, 2)),
    "batch": lambda i: torch.randint(max(i.n // 3, 2), (i.n,), generator=i.generator),
    "row_weight": lambda i: torch.rand(i.n, generator=i.generator) + 0.1,
    "y": Inputs.labels,
    "guess": Inputs.classes,
    "edge_index": lambda i: i.edges(i.n),
    "view": lambda i: i.edges(i.n),
    "edge_weight": lambda i: torch.rand(i.n),
    "num_rows": lambda i: i.n,
    "exclude": lambda i: torch.arange(i.n),
    "log_weight": choice(None),
    "bound": choice(float("inf"), 80.0),
    "f": choice("softplus", "relu", "exp"),
    "backend": choice("tiles"),
    "num_items": choice(0),
    "queue": lambda i: gcl.losses.NegativeQueue(5, i.d),
    "views": lambda i: [i.rows() for _ in range(3)],
    "data": Inputs.single_graph,
    **dict.fromkeys(("metapath_means.data", "NodeEmbeddings.data"), Inputs.hetero),
    "node_type": choice("paper", "author"),
    "graphs": lambda i: i.batch().to_data_list(),
    "split": Inputs.split,
    "folds": lambda i: torch.arange(i.n) % 2,
    "encoder": Inputs.encoder,
    "network": lambda i: torch.nn.Linear(2, 2),
    "target": lambda i: torch.nn.Linear(2, 2),
    "scaled_cosine_error.target": Inputs.rows,
    "method": Inputs.method,
    "cluster": lambda i: torch.arange(i.n) % max(i.n // 3, 1),
    "generator": lambda i: i.rng.choice((None, i.generator)),
    "drop_rate": choice(0.2, 0.0, 1.0),
    "drop_rates": choice((0.2, 0.4), [0.1]),
    "mode": choice("worst", "worst_tight", "linear", "reference"),
    "contrast": Inputs.rows,
    "targets": lambda i: torch.arange(min(i.n, 3)),
    "pairs": lambda i: torch.randint(max(i.n, 1), (2, 8), generator=i.generator),
    "linked": choice(torch.tensor([0, 1] * 4)),
    "s": lambda i: torch.randn(i.n, generator=i.generator),
    "budget": choice(0.5, 3.0),
    "graph": lambda i: nx.gnp_random_graph(max(i.n, 1), 0.2, seed=1),
    "features": choice(None),
    "edges": lambda i: i.rng.choice((i.edges(i.n), i.edges(i.n).T.numpy(), i.edges(i.n).T.tolist())),
    "from_edge_list.features": lambda i: i.rng.choice((None, i.rows(), {k: [1.0] for k in range(i.n)})),
    "from_edge_list.labels": lambda i: i.rng.choice((None, i.classes(), {0: "a", 1: None})),
    "labels": choice(None),
    "weight": choice(None),
    "bounds": lambda i: {"a": torch.randn(max(i.n, 1))},
    "fractions": choice({"a": [0.5]}),
    "losses": choice([3.0, 2.0, 1.0]),
    "score_bars.scores": choice({"a": [0.5, 0.6], "b": [0.4]}),
    "num_clusters": choice(1, 2),
    "num_neighbors": choice([2, 2], [-1]),
    "batch_size": choice(1, 4),
    "input_nodes": choice(None),
    "objective": choice(gcl.losses.info_nce),
    "transforms": choice([augmentors.EdgeDrop(0.2), augmentors.Identity()]),
    "centrality": choice(augmentors.degree_centrality, augmentors.pagerank),
    **dict.fromkeys(("in_channels", "hidden_channels", "out_channels", "edge_dim", "std"), choice(1, 2)),
    "fraction": choice(0.1, 0.5),
    "train": choice(0.1, 0.3),
    "val": choice(0.1, 0.3),
    "compactness_against_degree.bound": lambda i: torch.randn(i.n),
    "n": lambda i: i.n,
    "rate": choice(0.0, 0.3),
}
WRONG = {
    **dict.fromkeys(
        ("z", "z1", "z2", "h", "h_negative", "g", "q", "k", "x", "contrast", "prediction"), Inputs.damaged_rows
    ),
    "data": Inputs.damaged_graph,
    "y": lambda i: i.rng.choice((i.classes(i.n + 1), -torch.ones(i.n).long(), None, "abc", [0.5] * i.n, i.rows(), {})),
    "edge_index": lambda i: i.rng.choice(
        (
            torch.tensor([[0], [i.n]]),
            torch.tensor([[-1], [0]]),
            i.edges(i.n).float(),
            i.edges(i.n).flatten(),
            None,
            [[0], [0]],
        )
    ),
    "scaled_cosine_error.target": Inputs.damaged_rows,
    "batch": lambda i: i.rng.choice((torch.full((i.n,), 99), -torch.ones(i.n).long(), torch.zeros(i.n), None)),
    "row_weight": lambda i: i.rng.choice(
        (-torch.ones(i.n), torch.zeros(i.n), torch.ones(i.n + 1), 3, torch.full((i.n,), float("nan")))
    ),
    "split": lambda i: i.rng.choice((None, (1, 2, 3), i.split()[:2], gcl.eval.Split(*[torch.arange(i.n)] * 3), "abc")),
    "graphs": lambda i: i.rng.choice(([], None, [1, 2], i.batch(), "MUTAG")),
    "cluster": lambda i: i.rng.choice(
        (torch.arange(i.n + 1), torch.arange(i.n) * 2, -torch.ones(i.n).long(), None, [0] * i.n, torch.zeros(i.n))
    ),
    "encoder": lambda i: i.rng.choice(
        (None, torch.nn.Linear(FEATURES + 1, 2), "gcn", lambda x, e: x[:1], lambda x, e: (x, e))
    ),
    "exclude": lambda i: i.rng.choice(
        (torch.zeros(i.n + 1).long(), torch.tensor(3), torch.full((i.n,), i.n + 5), torch.zeros(i.n))
    ),
    "views": lambda i: i.rng.choice(([], [i.rows()], i.rows(), [i.rows(), i.damaged_rows()], None)),
    "folds": lambda i: i.rng.choice((torch.zeros(i.n).long(), torch.arange(i.n + 1), torch.rand(i.n), None)),
    "targets": lambda i: i.rng.choice((torch.tensor([i.n + 3]), torch.tensor([-1]), torch.rand(2), [0])),
    "pairs": lambda i: i.rng.choice((torch.tensor([[0], [i.n]]), torch.rand(2, 3), None, torch.zeros(3, 2).long())),
    "edges": lambda i: i.rng.choice(
        (None, 3, "abc", {}, [(1,)], [("a", 1)], [(None, 1)], [(0.5, 1)], i.edges(i.n).float(), torch.eye(3), [[[1]]])
    ),
    "from_edge_list.features": lambda i: i.rng.choice(
        (3, "x.txt", {}, {"a": 1}, {0: "a"}, [[1], [1, 2]], torch.ones(1, 1, 1), "abc")
    ),
    "from_edge_list.labels": lambda i: i.rng.choice(
        (3, "abc", {}, {0: 0.5}, {None: 1}, [0.5], torch.ones(2, 2), [["a", "b"]])
    ),
    "generator": lambda i: None,
    "method": lambda i: i.rng.choice((None, torch.nn.Linear(2, 2))),
}
