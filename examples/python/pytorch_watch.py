"""Streams a PyTorch network to gradscape while it learns handwritten digits.

    pip install torch numpy ../../python
    gradscape watch tcp --window        # or: gradscape watch tcp
    python pytorch_watch.py
"""

import argparse

import torch
from torch import nn

import gradscape
from digits import digits

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=gradscape.DEFAULT_PORT)
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

torch.manual_seed(0)
images, labels = (torch.from_numpy(part) for part in digits())
split = 1400
net = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)

gradscape.connect(run="pytorch-digits", port=args.port, every=10, most=20)
gradscape.watch(net, loss="cross_entropy")

step = 0
for epoch in range(args.epochs):
    for batch in torch.randperm(split).split(64):
        loss = nn.functional.cross_entropy(net(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        gradscape.log(step, loss=loss)
    with torch.no_grad():
        right = (net(images).argmax(1) == labels).float()
        held_back = nn.functional.cross_entropy(net(images[split:]), labels[split:])
    gradscape.log(
        step, accuracy=right[:split].mean(), val_accuracy=right[split:].mean(), val_loss=held_back, learning_rate=2e-3
    )
    print(f"epoch {epoch + 1}: {right[split:].mean():.1%} of what is held back")
gradscape.close()
