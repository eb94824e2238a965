"""Runs killed at random points: `python -m tests.fuzz.kills --kills 1000` prints how many ended in other embeddings."""

import argparse
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import torch
from tqdm import tqdm

import gcl

EPOCHS = 40


def train(folder):
    """Train from the checkpoint, if there is one, save after each epoch, and leave the embeddings."""
    torch.manual_seed(0)
    data = gcl.load("karate")
    generator = torch.Generator().manual_seed(0)
    method = gcl.methods.GRACE(gcl.nn.gcn(34, 16, 2, 8, dropout=0.5))
    optimizer = torch.optim.Adam(method.parameters(), lr=0.01)
    parts, path = {"method": method, "optimizer": optimizer, "generator": generator}, folder / "run.ckpt"
    start = gcl.train.load_checkpoint(path, **parts) if path.exists() else 0
    for epoch, _ in gcl.train.epochs(method, data, optimizer, EPOCHS, start=start, generator=generator):
        gcl.train.save_checkpoint(path, epoch, **parts)
    torch.save(method.embed(data), folder / "draft.pt")
    (folder / "draft.pt").replace(folder / "h.pt")


def killed_run(folder, rng, limit):
    """Train in processes that are killed after random times, until one ends; return the number of kills."""
    kills = 0
    while not (folder / "h.pt").exists():
        child = os.fork()
        if child == 0:
            train(folder)
            os._exit(0)
        time.sleep(rng.uniform(0.01, 0.3) if kills < limit else 5)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
            raise SystemExit(f"a run ended with status {status}")
    return kills


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = random.Random(0)
    whole = Path(tempfile.mkdtemp())
    train(whole)
    expected, kills, runs, wrong = torch.load(whole / "h.pt"), 0, 0, 0
    with tqdm(total=args.kills) as bar:
        while kills < args.kills:
            folder = Path(tempfile.mkdtemp())
            bar.update(killed := killed_run(folder, rng, args.kills - kills))
            kills, runs = kills + killed, runs + 1
            wrong += not torch.equal(torch.load(folder / "h.pt"), expected)
    print(f"{kills} kills in {runs} runs, of which {wrong} ended unlike the unkilled one")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
