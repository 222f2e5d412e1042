"""Nothing of gradscape here: a run that saves its weights now and then, which gradscape shows.

    pip install torch safetensors numpy
    mkdir -p saved && gradscape watch saved --window
    python checkpoints.py --out saved
"""

import argparse
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

from digits import digits

parser = argparse.ArgumentParser()
parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("saved"))
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

args.out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
images, labels = (torch.from_numpy(part) for part in digits())
# Weights alone say nothing of activations: gradscape takes ReLU and softmax for granted.
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
step = 0
for epoch in range(args.epochs):
    for batch in torch.randperm(1400).split(64):
        loss = nn.functional.cross_entropy(net(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
    # Metadata that are numbers become curves.
    metadata = {"step": str(step), "loss": str(loss.item())}
    save_file(net.state_dict(), args.out / f"step-{step:05}.safetensors", metadata)
