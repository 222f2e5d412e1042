"""Nothing of gradscape here: a run that logs for TensorBoard, which gradscape follows.

    pip install torch tensorboard numpy
    mkdir -p runs && gradscape watch runs --window
    python tensorboard_tail.py --out runs
"""

import argparse
import pathlib
import time

import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from digits import digits

parser = argparse.ArgumentParser()
parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs"))
parser.add_argument("--epochs", type=int, default=20)
args = parser.parse_args()

torch.manual_seed(0)
images, labels = (torch.from_numpy(part) for part in digits())
net = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
writer = SummaryWriter(args.out / time.strftime("%H%M%S"), flush_secs=1)
step = 0
for epoch in range(args.epochs):
    for batch in torch.randperm(1400).split(64):
        loss = nn.functional.cross_entropy(net(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        writer.add_scalar("loss/train", loss, step)
    with torch.no_grad():
        scores = net(images[1400:])
        writer.add_scalar("loss/val", nn.functional.cross_entropy(scores, labels[1400:]), step)
        writer.add_scalar("accuracy/val", (scores.argmax(1) == labels[1400:]).float().mean(), step)
    for name, value in net.named_parameters():
        writer.add_histogram(name, value, step)
writer.close()
