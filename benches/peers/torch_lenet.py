"""PyTorch at LeNet, as `samples, batch 64, Adam` of benches/training.rs; run it just
before or after that, at the same number of threads.

    pip install torch
    python torch_lenet.py [THREADS] [--compile]

6 filters 5x5 with padding, pool, 16 filters 5x5, pool, 120, 84, 10, ReLU, on pictures
of 28x28. Prints the median and the best of nine runs after a warm-up, for PyTorch's
usual order of values, for channels_last, and with --compile for both through
torch.compile, which needs a C++ compiler and a minute.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from torch_mlp import rate

SAMPLES = 1280
BATCH = 64


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def epochs(name, memory_format, compiled):
    x = torch.rand(SAMPLES, 1, 28, 28).to(memory_format=memory_format)
    y = torch.arange(SAMPLES) % 10
    model = lenet().to(memory_format=memory_format)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    forward = torch.compile(model) if compiled else model

    def work():
        order = torch.randperm(SAMPLES)
        for start in range(0, SAMPLES, BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            F.cross_entropy(forward(x[rows]), y[rows]).backward()
            optimizer.step()

    try:
        print(f"LeNet, {name}, samples/s: {rate(work, SAMPLES)}", flush=True)
    except Exception as error:  # torch.compile fails in many ways, each its own type
        if not compiled:
            raise
        print(f"LeNet, {name}: does not run here ({type(error).__name__})", flush=True)


def main():
    torch.manual_seed(1)
    threads = [a for a in sys.argv[1:] if not a.startswith("--")]
    if threads:
        torch.set_num_threads(int(threads[0]))
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    for compiled in [False, True] if "--compile" in sys.argv else [False]:
        how = "compiled" if compiled else "eager"
        epochs(f"contiguous, {how}", torch.contiguous_format, compiled)
        epochs(f"channels_last, {how}", torch.channels_last, compiled)


if __name__ == "__main__":
    main()
