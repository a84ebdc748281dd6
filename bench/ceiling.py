"""How fast this machine could train at best: the arithmetic of a step, and what the cores can multiply.

    python -m bench.ceiling [--rounds N] [--batch-size N ...] [--threads N]

Multiplies large matrices in float32 and bfloat16, which take turns, and counts the operations of a training
step of Unet-resnet18 at 256 px, as its library computes it and as the engine does. No step can be shorter
than its operations at the speed of matrices.
"""

import argparse
import os
import time

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bench.measures.turns import spread
from bench.sides.example import build_network
from workers.training.compute.runtime import prepare_process
from workers.training.tasks.segmentation.network.folded_upsampling import fold_upsampling

SIDE = 2048
SIZE = 256
TYPES = (torch.float32, torch.bfloat16)


def flops_per_second(kind: torch.dtype) -> float:
    """Of one product of two matrices."""
    one, other = torch.rand(SIDE, SIDE).to(kind), torch.rand(SIDE, SIDE).to(kind)
    start = time.perf_counter()
    torch.mm(one, other)
    return 2 * SIDE**3 / (time.perf_counter() - start)


def flops_of_step(network: nn.Module, batch_size: int) -> int:
    """Of convolutions, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(batch_size, 3, SIZE, SIZE)).mean().backward()
    return int(counter.get_total_flops())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch-size", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    prepare_process(asked.threads)
    speeds: dict[torch.dtype, list[float]] = {kind: [] for kind in TYPES}
    for _ in range(asked.rounds):
        for kind in TYPES:
            speeds[kind].append(flops_per_second(kind))
    for kind, found in speeds.items():
        print(f"{kind}: {spread([speed / 1e9 for speed in found])} GFLOPS, at most {max(found) / 1e9:.0f}")
    plain, folded = build_network().train(), build_network().train()
    fold_upsampling(folded)
    for batch_size in asked.batch_size:
        for name, network in (("library", plain), ("engine", folded)):
            flops = flops_of_step(network, batch_size)
            least = {kind: flops / max(found) for kind, found in speeds.items()}
            listed = ", ".join(f"{1e3 * seconds:.0f} ms in {kind}" for kind, seconds in least.items())
            print(f"{name}, batch size {batch_size}: {flops / 1e9:.0f} GFLOP a step, at least {listed}")


if __name__ == "__main__":
    main()
