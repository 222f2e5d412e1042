"""Writes opaque.onnx: a small detector with a branch, a residual block and layers that the
engine does not have (LSTM, Mish). Needs torch, onnx and onnxscript:

    python tests/models/opaque.py
"""
from pathlib import Path

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(4, 4, 3, padding=1)
        self.act = nn.Mish()
        self.conv2 = nn.Conv1d(4, 4, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(self.act(self.conv1(x)))


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(1, 4, 5, padding=2), nn.ReLU())
        self.layer1 = nn.Sequential(Block(), Block())
        self.rnn = nn.LSTM(4, 3, batch_first=True)
        self.score = nn.Linear(3, 2)
        self.place = nn.Linear(3, 1)

    def forward(self, x):
        h = self.layer1(self.stem(x)).transpose(1, 2)
        h, _ = self.rnn(h)
        last = h[:, -1]
        return torch.softmax(self.score(last), -1), self.place(last)


torch.manual_seed(0)
torch.onnx.export(
    Detector().eval(),
    torch.zeros(1, 1, 32),
    Path(__file__).with_name("opaque.onnx"),
    input_names=["signal"],
    output_names=["score", "place"],
    dynamo=False,
)
