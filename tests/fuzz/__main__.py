"""Many random calls: `python -m tests.fuzz --inputs 100000`; prints how they ended, failures by cause."""

import argparse
import collections
import re

import torch
from tqdm import tqdm

from tests.fuzz.calls import Unexplained, call


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first input; the others count on")
    parser.add_argument("--show", type=int, default=1, help="failures to show for each cause")
    args = parser.parse_args()
    torch.set_num_threads(1)

    outcomes, causes = collections.Counter(), collections.defaultdict(list)
    for seed in tqdm(range(args.seed, args.seed + args.inputs), mininterval=2):
        try:
            outcomes[call(seed)[1]] += 1
        except (Unexplained, LookupError) as error:
            message = str(error)
            causes[re.sub(r"\d+", "#", message.split(" | ")[0].split(", of ")[0])].append((seed, message))
    print(f"{args.inputs} inputs: {outcomes['ok']} answered, {outcomes['refused']} refused by name, ", end="")
    print(f"{sum(map(len, causes.values()))} unexplained, of {len(causes)} causes")
    for cause, failures in sorted(causes.items(), key=lambda item: -len(item[1])):
        print(f"{len(failures):6}  {cause}")
        for seed, message in failures[: args.show]:
            print(f"        seed {seed}: {message[:400]}")
    raise SystemExit(bool(causes))


if __name__ == "__main__":
    main()
