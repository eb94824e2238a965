"""Exported encoders are the encoder, on graphs of other sizes, in a process without this package and PyG."""

import subprocess
import sys

import pytest
import torch
import torch_geometric.nn as pyg
from torch import nn
from torch_geometric.data import Batch
from torch_geometric.nn import to_hetero

from gcl.methods import GRACE
from gcl.nn import NodeType, encode, gcn, gin, gine, molecule_encoder, sage
from tests.inputs import molecules, ring, seeded
from tests.nn.test_hetero import TYPES, library

BUILD = {
    "gcn": lambda: gcn(4, 8, 2, 6, act="prelu"),
    "gcn, weights": lambda: gcn(4, 8, 2, 6, norm="batch_norm"),
    "gcn, last norm": lambda: gcn(4, 8, 2, 6, norm="batch_norm", final_norm=True),
    "gin, weights": lambda: gin(4, 8, 2, 6, norm="batch_norm"),
    "sage": lambda: sage(4, 8, 3, jk="cat"),
    "gine": lambda: gine(4, 8, 2, 6, edge_dim=5, norm="layer_norm"),
    "gine, weights": lambda: gine(4, 8, 2, 6, edge_dim=5, train_eps=True),
    "molecule_encoder": lambda: molecule_encoder(8, 2),
    "molecule_encoder, weights": lambda: molecule_encoder(8, 2, norm="batch_norm"),
}
READ = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("gcl", "augmentors", "torch_geometric"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
import torch

for file in sys.argv[1:]:
    program = torch.export.load(file).module()
    torch.save([program(*x, **named) for x, named in torch.load(file + ".in")], file + ".out")
"""


class ByPosition(nn.Module):
    """A ``NodeType`` for ``torch.export``, which wants plain arguments."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, papers, authors, edges):
        return self.encoder({"paper": papers, "author": authors}, dict(zip(TYPES, edges, strict=True)), {})


def graph(name, n):
    """A graph with what the encoder takes; self-loops and a double edge among its edges."""
    if name.startswith("molecule"):
        data = Batch.from_data_list(molecules(seeded(n), n))
    else:
        data = ring(n)
        data.edge_index = torch.cat([data.edge_index, torch.tensor([[0, 1, 1], [0, 2, 2]])], dim=1)
    if "gine" in name:
        data.edge_attr = torch.randn(data.num_edges, 5, generator=seeded(n))
    if "weights" in name:
        data.edge_weight = torch.rand(data.num_edges, generator=seeded(n))
    return data


def inputs(data):
    named = {key: data[key] for key in ("edge_weight", "edge_attr") if key in data}
    return (data.x, data.edge_index), named


def exported(encoder, data):
    edges = torch.export.Dim("edges")
    x, named = inputs(data)
    sizes = {"x": {0: torch.export.Dim("nodes")}, "edge_index": {1: edges}} | {key: {0: edges} for key in named}
    return torch.export.export(encoder, x, named, dynamic_shapes=sizes)


def trained(name):
    """After a step: batch norms have statistics, and the weights are not those of the seed."""
    encoder, data = BUILD[name](), graph(name, 6)
    method = GRACE(encoder)
    method.loss(data, generator=seeded()).backward()
    torch.optim.SGD(method.parameters(), lr=0.1).step()
    return encoder.eval()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """``(in another process, here)`` of each encoder, for graphs of three sizes."""
    torch.manual_seed(0)
    folder, here = tmp_path_factory.mktemp("programs"), {}
    with torch.no_grad():
        for name in BUILD:
            with torch.enable_grad():
                encoder = trained(name)
            torch.export.save(exported(encoder, graph(name, 6)), folder / f"{name}.pt2")
            others = [graph(name, n) for n in (6, 4, 15)]
            torch.save([inputs(other) for other in others], folder / f"{name}.pt2.in")
            here[name] = [encode(encoder, other) for other in others]
        encoder, sizes = ByPosition(NodeType(to_hetero(pyg.GraphSAGE(4, 8, 2, 6), library().metadata()), "paper")), []
        for data in (library(), Batch.from_data_list([library()] * 3)):
            sizes.append(((data["paper"].x, data["author"].x, [data[kind].edge_index for kind in TYPES]), {}))
        free = torch.export.Dim.AUTO
        program = torch.export.export(encoder, sizes[0][0], dynamic_shapes=({0: free}, {0: free}, [{1: free}] * 3))
        torch.export.save(program, folder / "hetero.pt2")
        torch.save(sizes, folder / "hetero.pt2.in")
        here["hetero"] = [encoder(*x) for x, _ in sizes]
    files = [str(folder / f"{name}.pt2") for name in here]
    subprocess.run([sys.executable, "-I", "-W", "error", "-c", READ, *files], check=True, capture_output=True)
    return {name: (torch.load(folder / f"{name}.pt2.out"), here[name]) for name in here}


@pytest.mark.parametrize("name", [*BUILD, "hetero"])
def test_in_a_process_without_this_package_and_pyg_it_is_the_same(results, name):
    there, here = results[name]
    assert len(there) == len(here) > 1
    for a, b in zip(there, here, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", BUILD)
def test_a_graph_without_edges_is_the_same(name):
    encoder, data = trained(name), graph(name, 4)
    empty = data.edge_subgraph(torch.arange(0))
    program = exported(encoder, data).module()
    x, named = inputs(empty)
    torch.testing.assert_close(program(*x, **named), encode(encoder, empty), rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BUILD)
def test_onnx_is_the_same(name, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    encoder = trained(name)
    torch.onnx.export(exported(encoder, graph(name, 6)), dynamo=True, verbose=False).save(tmp_path / "encoder.onnx")
    session = runtime.InferenceSession(tmp_path / "encoder.onnx")
    for n in (6, 4, 15):
        data = graph(name, n)
        values = {key: data[key].numpy() for key in ("x", "edge_index", "edge_weight", "edge_attr") if key in data}
        (h,) = session.run(None, values)
        torch.testing.assert_close(torch.from_numpy(h), encode(encoder, data).detach(), rtol=1e-5, atol=1e-5)
