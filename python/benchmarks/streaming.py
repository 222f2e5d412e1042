"""How much streaming slows a PyTorch loop down, and whether what arrives is what was sent.

    python python/benchmarks/streaming.py GRADSCAPE [--pairs 30] [--steps 150] [--every 20]

Starts `gradscape watch tcp` (GRADSCAPE is the program), and trains two equal networks in turns, one
of which streams into it: each pair of turns gives a ratio, in either order, so that whatever else the
machine does falls on both. Then compares every set of tensors that was kept with what was sent, bit
for bit, and every number. Prints a JSON object a network.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import gradscape

BATCH = 64

NETWORKS = {
    "784-128-64-10": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    ),
    "LeNet 6c5-16c5-120-84-10": lambda: nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    ),
}


class Loop:
    """Training on images of MNIST's shape, a batch a step."""

    def __init__(self, make, images, labels, client=None):
        torch.manual_seed(1)
        self.net = make()
        self.optimizer = torch.optim.Adam(self.net.parameters(), 1e-3)
        self.images, self.labels, self.client = images, labels, client
        self.step, self.sent, self.losses = 0, {}, []
        if client is not None:
            client.watch(self.net, loss="cross_entropy")

    def run(self, steps, keep=False):
        begin = time.perf_counter()
        for _ in range(steps):
            at = self.step * BATCH % len(self.images)
            x, y = self.images[at : at + BATCH], self.labels[at : at + BATCH]
            loss = nn.functional.cross_entropy(self.net(x), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.step += 1
            if self.client is not None:
                self.client.log(self.step, loss=loss)
                if keep:
                    self.losses.append((self.step, float(loss)))
                    self.sent[self.step] = {
                        **{f"weights/{n}": p.detach().clone() for n, p in self.net.named_parameters()},
                        **{f"gradients/{n}": p.grad.clone() for n, p in self.net.named_parameters()},
                    }
                    # So that nothing is left out where all is compared.
                    while self.client._frames:
                        time.sleep(0.002)
        return time.perf_counter() - begin


def read(file):
    """Names and bytes of a safetensors file."""
    data = file.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return {
        name: data[8 + size + e["data_offsets"][0] : 8 + size + e["data_offsets"][1]] for name, e in header.items()
    }


def measure(program, name, args, images, labels):
    with tempfile.TemporaryDirectory() as folder:
        kept = pathlib.Path(folder) / "kept"
        app = subprocess.Popen(
            [program, "watch", "tcp:0", "--json", "--out", kept], stdout=subprocess.PIPE, text=True
        )
        port = int(json.loads(app.stdout.readline())["address"].rpartition(":")[2])
        # What it prints is read and dropped, as a terminal would.


        threading.Thread(target=lambda: [None for _ in app.stdout], daemon=True).start()
        client = gradscape.Client(run="measured", port=port, every=args.every)
        streaming = Loop(NETWORKS[name], images, labels, client)
        plain = Loop(NETWORKS[name], images, labels)
        streaming.run(5)
        if not client.wait_connected(30):
            sys.exit("gradscape does not answer")
        for loop in (streaming, plain):
            loop.run(args.steps)
        ratios, times = [], {True: [], False: []}
        for pair in range(args.pairs):
            order = (True, False) if pair % 2 else (False, True)
            took = {streams: (streaming if streams else plain).run(args.steps) for streams in order}
            ratios.append(took[True] / took[False])
            for streams in order:
                times[streams].append(took[streams])
        measured = (client.sent_frames, client.dropped_frames)
        time.sleep(0.5)
        streaming.run(10 * args.every, keep=True)
        client.close(30)
        app.terminate()
        app.wait(30)
        compared = wrong = 0
        for file in sorted((kept / "snapshots/measured").glob("*.safetensors")):
            sent = streaming.sent.get(int(file.stem.rpartition("-")[2]))
            if sent is None:
                continue
            arrived = read(file)
            for tensor, value in sent.items():
                compared += 1
                wrong += arrived.get(tensor) != value.numpy().tobytes()
        with open(kept / "history.csv", newline="") as table:
            rows = {int(row["step"]): float(row["value"]) for row in csv.DictReader(table)}
        told = sum(rows.get(step) == loss for step, loss in streaming.losses)
        quartiles = statistics.quantiles(ratios, n=4)
        return {
            "network": name,
            "parameters": sum(p.numel() for p in plain.net.parameters()),
            "every": args.every,
            "pairs": args.pairs,
            "steps_a_turn": args.steps,
            "ms_a_step": round(1e3 * statistics.median(times[False]) / args.steps, 3),
            "ms_a_step_streaming": round(1e3 * statistics.median(times[True]) / args.steps, 3),
            "slowdown_percent": round(100 * (statistics.median(ratios) - 1), 2),
            "quartiles_percent": [round(100 * (q - 1), 2) for q in (quartiles[0], quartiles[2])],
            "fastest_percent": round(100 * (min(times[True]) / min(times[False]) - 1), 2),
            "frames_sent": measured[0],
            "frames_left_out": measured[1],
            "tensors_compared": compared,
            "tensors_that_differ": wrong,
            "numbers_compared": len(streaming.losses),
            "numbers_that_differ": len(streaming.losses) - told,
            "rows_in_all": f"{len(rows)} of {streaming.step}",
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    images, labels = torch.rand(4096, 1, 28, 28), torch.randint(10, (4096,))
    bad = False
    for name in NETWORKS:
        found = measure(args.program, name, args, images, labels)
        print(json.dumps(found), flush=True)
        bad |= found["tensors_that_differ"] > 0 or found["tensors_compared"] == 0 or found["numbers_that_differ"] > 0
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
