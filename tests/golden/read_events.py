"""Reads a run's event file with TensorBoard's own reader and compares it with its tables.

    read_events.py NAME      NAME.tfevents, NAME.csv and NAME.steps.csv
"""

import csv
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

name = sys.argv[1]
# All of it: by default the reader keeps a sample.
whole = {"scalars": 0, "histograms": 0, "tensors": 0}
events = EventAccumulator(name + ".tfevents", size_guidance=whole)
events.Reload()


def single(text):
    """The number in single precision, which event files have."""
    return struct.unpack("f", struct.pack("f", float(text)))[0]


def compare(tag, table, column):
    with open(table, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row[column]]
    found = [(event.step, event.value) for event in events.Scalars(tag)]
    wanted = [(int(row["step"]), single(row[column])) for row in rows]
    assert wanted and found == wanted, tag


for part in ("train", "validation"):
    for what in ("loss", "accuracy"):
        compare(f"{what}/{part}", name + ".csv", f"{part}_{what}")
compare("learning_rate", name + ".csv", "learning_rate")
compare("gradient_norm", name + ".csv", "gradient_norm")
compare("step/loss", name + ".steps.csv", "batch_loss")
compare("step/gradient_norm", name + ".steps.csv", "gradient_norm")
tags = events.Tags()["histograms"]
assert tags and all(events.Histograms(tag) for tag in tags)
print(f"{name}.tfevents: scalars and {len(tags)} histograms as in the tables")
