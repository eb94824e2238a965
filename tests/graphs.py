"""Random graphs for property tests: every shape of input that an augmentor or a method may meet."""

import torch
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data, HeteroData


@st.composite
def graphs(draw, min_nodes=1, features=True):
    """Directed or undirected graphs, possibly with self-loops, duplicates, isolated nodes or no edges at all."""
    n = draw(st.integers(min_nodes, 8))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=12))
    if draw(st.booleans()):
        edges += [(v, u) for u, v in edges]
    e = len(edges)
    data = Data(edge_index=torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T.contiguous(), num_nodes=n)
    data.node_number = torch.arange(n)
    data.edge_number = torch.arange(e)
    if draw(st.booleans()):
        data.edge_attr = torch.arange(e).float()[:, None]
        data.edge_weight = torch.arange(e).float()
    if draw(st.booleans()):
        data.y = torch.arange(n)
        data.train_mask = torch.arange(n) % 2 == 0
    if features and draw(st.booleans()):
        data.x = torch.arange(n * 3).reshape(n, 3).to(draw(st.sampled_from([torch.float32, torch.float64]))) + 1
    return data


@st.composite
def batches(draw):
    """A batch of one to four graphs with the same attributes; the last one may have no edges."""
    template = draw(graphs())
    keys = set(template.keys())
    others = draw(st.lists(graphs().filter(lambda g: set(g.keys()) == keys), max_size=2))
    members = [template, *others]
    if draw(st.booleans()):
        last = template.clone()
        last.edge_index = last.edge_index[:, :0]
        for key in ("edge_number", "edge_attr", "edge_weight"):
            if key in last:
                last[key] = last[key][:0]
        members.append(last)
    for i, member in enumerate(members):
        member.graph_number = torch.tensor([i])
        if "x" in member:
            member.x = member.x.float()
    return Batch.from_data_list(members)


@st.composite
def hetero_graphs(draw):
    """Papers that cite each other and authors who write them."""
    data = HeteroData()
    for kind in ("paper", "author"):
        n = draw(st.integers(1, 6))
        data[kind].x = torch.arange(n * 3).reshape(n, 3).float() + 1
        data[kind].node_number = torch.arange(n)
    for kind in (("paper", "cites", "paper"), ("author", "writes", "paper")):
        start, end = (st.integers(0, data[node].num_nodes - 1) for node in (kind[0], kind[2]))
        edges = draw(st.lists(st.tuples(start, end), max_size=10))
        data[kind].edge_index = torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T.contiguous()
        data[kind].edge_number = torch.arange(len(edges))
        data[kind].edge_attr = torch.arange(len(edges)).float()[:, None] + 1
    return data
