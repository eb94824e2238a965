"""An encoder as one file, read by a process without this package and PyG: `python examples/deploy.py`.

The model is trained on four fifths of the nodes and exported by torch.export for graphs of any size. The reading
process has torch alone, and embeds the whole graph.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

import gcl

READ = """
import sys, torch
encoder = torch.export.load("encoder.pt2").module()
h = encoder(*torch.load("graph.pt"))
torch.save(h, "embeddings.pt")
print("read by a process without", [name for name in ("gcl", "torch_geometric") if name not in sys.modules])
"""

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="csbm", help="any node data set of gcl.load (default: csbm)")
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

data = gcl.load(args.dataset)
generator = torch.Generator().manual_seed(0)
part = data.subgraph(torch.randperm(data.num_nodes, generator=generator)[: 4 * data.num_nodes // 5])

torch.manual_seed(0)
method = gcl.methods.GRACE(gcl.nn.gcn(data.num_features, 128, 2, 64, norm="batch_norm"))
gcl.fit(method, part, torch.optim.Adam(method.parameters(), lr=1e-3), args.epochs, generator=generator)

folder = Path(tempfile.mkdtemp())
sizes = {"x": {0: torch.export.Dim("nodes")}, "edge_index": {1: torch.export.Dim("edges")}}
encoder = method.encoder.eval()  # the running statistics of batch norm, and no dropout
made_up = torch.zeros(4, data.num_features), torch.zeros(2, 3).long()  # the file holds a copy of this graph
program = torch.export.export(encoder, made_up, dynamic_shapes=sizes)
torch.export.save(program, folder / "encoder.pt2")
torch.save((data.x, data.edge_index), folder / "graph.pt")
subprocess.run([sys.executable, "-c", READ], cwd=folder, check=True)

h = torch.load(folder / "embeddings.pt")
error = (h - method.embed(data)).abs().max()
print(f"trained on {part.num_nodes} nodes, read for {len(h)}: the largest difference is {error:.0e}")
print(f"{folder / 'encoder.pt2'}: {(folder / 'encoder.pt2').stat().st_size / 1e3:,.0f} kB")
