"""Node embeddings of ogbn-products without labels: `python examples/ogb/ogbn_products.py --root data`.

2.4 million nodes and 124 million edges are too many for one batch: by default StructComp trains on the 272,000 parts of
a partition; `--method BGRL --batch-size 1024` on sampled neighborhoods. The rest is as in ogbn_arxiv.py.
"""

from ogbn_arxiv import parse, run

if __name__ == "__main__":
    args = parse(__doc__, method="CCASSG", epochs=20, structcomp=None)
    args.structcomp = not args.batch_size
    run("ogbn-products", args)
