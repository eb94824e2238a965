"""Embed OGB's molecules without labels: `python examples/ogb_molecules.py` (needs `torch-gcl[ogb]`).

GraphCL sees the training split only. A linear probe on frozen embeddings predicts the tasks, by OGB's split and metric
(ROC-AUC); its strength is chosen on the validation split. `python -m benchmarks.ogb_graph` does more: other methods,
sets scored by RMSE, seeds, checkpoints, TensorBoard.
"""

import argparse

import torch
from torch_geometric.loader import DataLoader
from torch_geometric.nn import global_add_pool, global_mean_pool

import gcl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--dataset", default="ogbg-molbace", help="a set that is scored by ROC-AUC (default: ogbg-molbace)")
parser.add_argument("--root", help="folder of the data sets (default: $GCL_DATA, else data)")
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

graphs = gcl.load(args.dataset, args.root)
split = gcl.eval.Split(*graphs.get_idx_split().values())
torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
encoder = gcl.nn.molecule_encoder(128, 4, norm="batch_norm", final_activation=False)
method = gcl.methods.GraphCL(encoder, readout=global_mean_pool)
batches = map(gcl.data.molecule_features, DataLoader(graphs, 256))
counts = torch.cat([global_add_pool(batch.x, batch.batch) for batch in batches])
untrained, y = gcl.eval.embed_graphs(method, graphs)

loader = DataLoader(graphs[split.train], batch_size=256, shuffle=True, drop_last=True, generator=generator)
optimizer = torch.optim.Adam(method.parameters(), lr=1e-3)
gcl.fit(method, loader, optimizer, args.epochs, generator=generator)
g, _ = gcl.eval.embed_graphs(method, graphs)

print(f"\n{args.dataset}, ROC-AUC")
for name, z in {"counts of atoms and bonds": counts, "untrained encoder": untrained, "GraphCL": g}.items():
    print(f"{name:28}{gcl.eval.linear_probe(z, y, split)['roc_auc']:.1%}")
