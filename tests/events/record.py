"""Records the event files of this folder and what TensorBoard's own reader finds in them.

    python record.py pytorch tensorboardx   # needs torch, tensorboardX and tensorboard
    python record.py keras tensorflow       # needs tensorflow and tensorboard
    python record.py values                 # needs tensorboard: writes values.json
    python record.py compare FOLDER FOLDER  # needs tensorboard: do both hold the same?

The files are small; what a test needs of them is in values.json, so that it needs no Python.
"""

import json
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Not beside this script, where Python would take the folder `keras` for the package.
FILES = HERE / "files"
WRITERS = ["pytorch", "tensorboardx", "keras", "tensorflow"]


def numbers(count, seed):
    """The same numbers everywhere, without a library: a linear congruential generator."""
    state, out = seed, []
    for _ in range(count):
        state = (1103515245 * state + 12345) % 2**31
        out.append(state / 2**30 - 1.0)
    return out


def summary_writer(writer, array):
    for step in range(0, 50, 10):
        writer.add_scalar("loss/train", 1.0 / (step + 1), step)
        writer.add_scalar("accuracy", 0.1 * step / 7, step)
        writer.add_histogram("weights/0", array(numbers(200, step + 1)), step, bins="auto" if step else "tensorflow")
    writer.add_scalars("both", {"a": 1.5, "b": -2.25}, 3)
    writer.add_text("note", "a *text* of two\n\nparagraphs", 0)
    writer.add_scalar("odd", float("nan"), 1)
    writer.add_scalar("odd", float("inf"), 2)
    writer.close()


def pytorch(folder):
    import torch
    from torch.utils.tensorboard import SummaryWriter

    summary_writer(SummaryWriter(folder), torch.tensor)
    # The newer form of scalars is a tensor.
    writer = SummaryWriter(folder, filename_suffix=".new")
    writer.add_scalar("tensor", 0.375, 7, new_style=True)
    writer.add_scalar("double", 0.1, 7, new_style=True, double_precision=True)
    writer.close()


def tensorboardx(folder):
    import numpy
    from tensorboardX import SummaryWriter

    summary_writer(SummaryWriter(str(folder)), numpy.array)


def keras(folder):
    import keras
    import numpy

    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    x = numpy.array(numbers(64, 5)).reshape(32, 2)
    callback = keras.callbacks.TensorBoard(folder, histogram_freq=1, write_graph=False)
    model.fit(x, x.sum(1), validation_data=(x, x.sum(1)), epochs=3, verbose=0, callbacks=[callback])


def tensorflow(folder):
    import tensorflow as tf

    with tf.summary.create_file_writer(str(folder)).as_default():
        for step in range(4):
            tf.summary.scalar("loss", 1.0 / (step + 1), step)
            tf.summary.histogram("weights", tf.constant(numbers(100, step + 1)), step, buckets=12)
        tf.summary.histogram("empty", tf.constant([], tf.float32), 0)
        tf.summary.histogram("same", tf.constant([2.0, 2.0, 2.0]), 0)
        tf.summary.text("note", "plain", 0)
        # A picture stands for everything that is passed over.
        tf.summary.image("picture", tf.zeros([1, 2, 2, 1]), 0)


def event_files(folder):
    files = sorted(pathlib.Path(folder).rglob("*tfevents*"))
    return [file for file in files if file.is_file()]


def values(file):
    """What TensorBoard makes of an event file: rows of tag, step, wall time, kind, value."""
    from tensorboard.backend.event_processing import event_file_loader
    from tensorboard.util import tensor_util

    rows, plugins = [], {}
    for event in event_file_loader.EventFileLoader(str(file)).Load():
        for value in event.summary.value:
            # The metadata is with the first value of a tag.
            if value.metadata.plugin_data.plugin_name:
                plugins[value.tag] = value.metadata.plugin_data.plugin_name
            plugin = plugins.get(value.tag)
            array = tensor_util.make_ndarray(value.tensor)
            if plugin == "scalars":
                found = spelt(float(array.item()))
            elif plugin == "histograms":
                found = [[float(x) for x in row] for row in array.tolist()]
                # Bins that hold nothing at both ends say nothing.
                while found and found[0][2] == 0:
                    found.pop(0)
                while found and found[-1][2] == 0:
                    found.pop()
            elif plugin == "text":
                found = array.ravel()[0].decode()
            else:
                continue
            rows.append([value.tag, event.step, event.wall_time, plugin, found])
    return rows


def spelt(number):
    """A number as JSON can have it."""
    return number if number == number and abs(number) != float("inf") else str(number)


def record(name):
    folder = FILES / name
    shutil.rmtree(folder, ignore_errors=True)
    globals()[name](folder)
    # Names with the machine's would say who recorded them.
    for k, file in enumerate(event_files(folder)):
        file.rename(file.with_name(f"events.out.tfevents.{k}.{name}"))


def compare(one, other):
    """Whether two folders hold the same values under the same tags, run by run, in the single
    precision in which a HistogramProto is read."""
    import numpy

    def single(value):
        if isinstance(value, list):
            return [single(x) for x in value]
        return float(numpy.float32(value)) if isinstance(value, float) else value

    def runs(folder):
        found = {}
        for file in event_files(folder):
            run = str(file.parent.relative_to(folder))
            found.setdefault(run, []).extend([*row[:4], single(row[4])] for row in values(file))
        return {run: sorted(rows, key=str) for run, rows in found.items()}

    ours, theirs = runs(one), runs(other)
    rows = sum(len(rows) for rows in theirs.values())
    if ours != theirs or rows == 0:
        differing = [run for run in sorted(ours.keys() | theirs.keys()) if ours.get(run) != theirs.get(run)]
        for run in differing:
            for a, b in zip(ours.get(run, []), theirs.get(run, [])):
                if a != b:
                    print(f"  {a}\n  {b}")
                    break
        sys.exit(f"{one} and {other} differ in {differing or 'nothing, as both are empty'}")
    print(f"{one}: {rows} values in {len(theirs)} runs as TensorBoard reads {other}")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.argv[1:2] == ["compare"]:
        compare(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
        sys.exit()
    for name in sys.argv[1:]:
        if name == "values":
            files = {str(f.relative_to(FILES)): values(f) for w in WRITERS for f in event_files(FILES / w)}
            text = ",\n".join(f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in sorted(files.items()))
            (HERE / "values.json").write_text("{\n" + text + "\n}\n")
        else:
            record(name)
