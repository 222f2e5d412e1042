"""The package against a server of its own: `python -m unittest discover -s python/tests`."""

import json
import math
import pathlib
import socket
import struct
import sys
import threading
import time
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import gradscape
from gradscape import _arrays, _frames
from gradscape import structure as words


def has(*packages):
    import importlib.util

    return all(importlib.util.find_spec(package) is not None for package in packages)


class Server(threading.Thread):
    """Takes one connection after the other and keeps every frame."""

    def __init__(self, answer=None, port=0):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.connections = []
        self.port = self.listener.getsockname()[1]
        self.frames, self.answer = [], answer or {"type": "welcome", "protocol": 1, "max_header": 1 << 20, "max_body": 1 << 20}
        self.pause = threading.Event()
        self.pause.set()
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            with connection:
                self.serve(connection)

    def serve(self, connection):
        def exactly(n):
            data = b""
            while len(data) < n:
                self.pause.wait()
                part = connection.recv(min(n - len(data), 65536))
                if not part:
                    raise EOFError
                data += part
            return data

        try:
            while True:
                assert exactly(4) == b"GRSP"
                header = json.loads(exactly(struct.unpack("<I", exactly(4))[0]))
                body = exactly(struct.unpack("<Q", exactly(8))[0])
                self.frames.append((header, body))
                if header["type"] == "hello":
                    for part in _frames.frame(self.answer):
                        connection.sendall(part)
        except (EOFError, OSError):
            pass

    def rows(self):
        return [row for header, _ in self.frames for row in header.get("rows", [])]

    def bodies(self):
        return [(header["step"], tensors(body)) for header, body in self.frames if body]

    def close(self):
        # Accepting has to be woken, or the port stays taken.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def tensors(body):
    """What lies in a safetensors file: name to dtype, shape, bytes."""
    (size,) = struct.unpack("<Q", body[:8])
    header, data = json.loads(body[8 : 8 + size]), body[8 + size :]
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        found[name] = (entry["dtype"], tuple(entry["shape"]), data[begin:end])
    return found


class Sending(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def client(self, **options):
        client = gradscape.Client(port=self.server.port, **options)
        self.addCleanup(client.close)
        return client

    def test_every_row_arrives_in_order_and_exactly(self):
        client = self.client(run="r")
        values = [0.1, math.pi * 1e-30, -1e300, float("nan"), float("inf"), float("-inf"), 3]
        for step, value in enumerate(values * 400):
            client.log(step, loss=value, n=step)
        client.close()
        rows = self.server.rows()
        self.assertEqual([row[0] for row in rows], list(range(len(values) * 400)))
        spelt = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
        for row, value in zip(rows, values * 400):
            told = row[2]["loss"]
            told = spelt.get(told, told)
            self.assertTrue(told == value or (told != told and value != value), (told, value))
        self.assertEqual(self.server.frames[0][0]["run"], "r")
        self.assertEqual(self.server.frames[-1][0], {"type": "bye"})

    def test_lists_that_training_writes_over_arrive_as_they_were(self):
        weights = {"a": [[1.0, 2.0], [3.0, 4.0]], "b": [[0.5]]}
        client = self.client(every=10, most=None)
        client.watch(weights)
        client.log(0, loss=1)
        self.assertTrue(client.wait_connected())
        client.log(1, loss=1)
        time.sleep(0.3)
        client.close()
        step, sent = self.server.bodies()[0]
        self.assertEqual(step, 1)
        # As NumPy has such lists, or without it in single precision.
        dtype, shape, data = sent["weights/a"]
        code = {"F64": "d", "F32": "f"}[dtype]
        self.assertEqual((shape, data), ((2, 2), struct.pack(f"<4{code}", 1, 2, 3, 4)))

    def test_what_the_app_cannot_keep_up_with_is_left_out_and_training_goes_on(self):
        client = self.client(every=1, most=None)
        client.log(0, loss=0.0)
        self.assertTrue(client.wait_connected())
        self.server.pause.clear()
        weights = [[0.0] * 1000] * 100
        slowest = 0.0
        for step in range(1, 200):
            before = time.perf_counter()
            client.log(step, loss=float(step))
            client.update(step, weights)
            slowest = max(slowest, time.perf_counter() - before)
        self.assertGreater(client.dropped_frames, 100)
        self.assertLess(client.sent_frames, 100)
        self.server.pause.set()
        client.close(20)
        # Numbers are never left out for tensors.
        self.assertEqual([row[0] for row in self.server.rows()], list(range(200)))
        self.assertLess(slowest, 5.0)

    def test_without_an_app_nothing_happens_and_one_that_starts_later_is_found(self):
        port = self.server.port
        self.server.close()
        time.sleep(0.1)
        client = gradscape.Client(port=port, every=1, most=None)
        self.addCleanup(client.close)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for step in range(50):
                client.log(step, loss=1.0)
                client.update(step, [[1.0]])
        self.assertFalse(client.due(50))
        late = Server(port=port)
        self.addCleanup(late.close)
        self.assertTrue(client.wait_connected(10))
        client.update(60, {"w": [[2.0]]})
        client.close()
        self.assertEqual([row[0] for row in late.rows()], list(range(50)))
        self.assertEqual(late.bodies()[0][0], 60)

    def test_a_refusal_is_said_once_and_ends_it(self):
        self.server.answer = {"type": "error", "message": "not today"}
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            client = self.client()
            for step in range(10):
                client.log(step, loss=1.0)
                time.sleep(0.05)
            client.close()
        texts = [str(w.message) for w in said]
        self.assertEqual(len(texts), 1, texts)
        self.assertIn("not today", texts[0])

    def test_mistakes_are_said_and_never_raised(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            client = self.client(every=1, most=None)
            client.watch(object())
            client.watch({"a": [[1.0]]}, nonsense=1)
            client.log("three", loss=1.0)
            client.log(0, loss="high", fine=2.0)
            self.assertTrue(client.wait_connected())
            client.update(1, {"a": object()})
            time.sleep(0.3)
            client.update(12, {"a": [[1.0], [1.0, 2.0]], "b": [[1.0]]})
            client.close()
        self.assertGreaterEqual(len(said), 4)
        self.assertEqual(self.server.rows()[0][2], {"fine": 2.0})
        self.assertEqual(list(self.server.bodies()[0][1]), ["weights/b"])

    def test_tensors_beyond_the_apps_limit_are_not_sent(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            client = self.client(every=1, most=None)
            client.log(0, loss=1.0)
            self.assertTrue(client.wait_connected())
            client.update(1, [[0.0] * 600] * 600)
            client.close(20)
        self.assertEqual(self.server.bodies(), [])
        self.assertIn("1048576", str(said[0].message))

    def test_a_stranger_at_the_port_is_noticed(self):
        self.server.close()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def stranger():
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            time.sleep(0.5)
            connection.close()

        threading.Thread(target=stranger, daemon=True).start()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            client = gradscape.Client(port=listener.getsockname()[1])
            client.log(0, loss=1.0)
            time.sleep(0.7)
            client.close()
        self.assertIn("another program", str(said[0].message))


class Arrays(unittest.TestCase):
    def test_trees_are_named_by_their_ways(self):
        tree = {"params": [{"w": [[1.0]], "b": [2.0]}, ([3.0], None)]}
        names = [name for name, _ in _arrays.flattened(tree)]
        self.assertEqual(names, ["params/0/w", "params/0/b", "params/1/0"])

    @unittest.skipUnless(has("numpy"), "needs numpy")
    def test_numpy_arrays_of_every_type_and_order(self):
        import numpy

        for dtype, name in [("float64", "F64"), ("float16", "F16"), ("int8", "I8"), ("bool", "BOOL"), (">f4", "F32")]:
            array = numpy.arange(6).reshape(2, 3).astype(dtype).T
            found = _arrays.encoded(_arrays.held(array))
            plain = numpy.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
            self.assertEqual((found[0], found[1], bytes(found[2])), (name, (3, 2), plain.tobytes()))
        self.assertEqual(_arrays.encoded(numpy.float32(2.5))[:2], ("F32", ()))
        self.assertEqual(_arrays.encoded(numpy.zeros((0, 3), "f4")), ("F32", (0, 3), b""))
        with self.assertRaises(TypeError):
            _arrays.encoded(numpy.zeros(2, complex))

    def test_a_safetensors_file_is_one(self):
        parts, length = _frames.safetensors([("x", "U8", (3,), b"abc"), ("none", "F32", (0,), b""), ("y", "U8", (), b"d")])
        body = b"".join(bytes(part) for part in parts)
        self.assertEqual(len(body), length)
        self.assertEqual(tensors(body), {"x": ("U8", (3,), b"abc"), "none": ("F32", (0,), b""), "y": ("U8", (), b"d")})

    def test_dense_layers_in_words(self):
        found = words.dense(4, [("w0", "b0"), ("w1", None)], activation="tanh", output="softmax")
        self.assertEqual([n["op"] for n in found["nodes"]], ["Gemm", "Tanh", "Gemm", "Softmax"])
        self.assertEqual(found["nodes"][2]["weights"], {"1": "w1"})
        self.assertEqual(found["outputs"], ["dense_2_softmax"])


@unittest.skipUnless(has("torch"), "needs torch")
class PyTorch(unittest.TestCase):
    def structure(self, module, shape, loss=None):
        from gradscape.torch import structure_of

        return structure_of(module, shape, loss)

    def test_layers_and_functions_become_operators(self):
        import torch
        from torch import nn
        from torch.nn import functional as F

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(1, 4, 3, padding=1)
                self.norm = nn.BatchNorm2d(4)
                self.fc = nn.Linear(4 * 14 * 14, 10)

            def forward(self, x):
                x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
                x = x + torch.relu(x)
                x = x.view(x.size(0), -1)
                return F.log_softmax(self.fc(x), dim=1)

        found = self.structure(Net(), (1, 28, 28))
        ops = [n["op"] for n in found["nodes"]]
        self.assertEqual(ops, ["Conv", "BatchNormalization", "Relu", "MaxPool", "Relu", "Add", "Reshape", "Gemm", "Softmax"])
        self.assertEqual(found["inputs"], [{"name": "x", "shape": [None, 1, 28, 28]}])
        conv, pool = found["nodes"][0], found["nodes"][3]
        self.assertEqual(conv["weights"], {"1": "conv.weight", "2": "conv.bias"})
        self.assertEqual(conv["attributes"]["pads"], [1, 1, 1, 1])
        self.assertEqual(pool["attributes"]["strides"], [2, 2])
        self.assertEqual(found["nodes"][6]["attributes"], {"shape": [-1, -1]})
        self.assertEqual(found["nodes"][5]["inputs"], ["max_pool2d", "relu_1"])

    def test_a_loss_that_takes_logits_adds_what_it_adds(self):
        from torch import nn

        net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 3))
        found = self.structure(net, (4,), "cross_entropy")
        self.assertEqual([n["op"] for n in found["nodes"]], ["Gemm", "Tanh", "Dropout", "Gemm", "Softmax"])
        self.assertEqual(found["outputs"], ["of_the_loss"])
        json.dumps(found)

    def test_weights_gradients_and_activations_arrive_bit_for_bit(self):
        import torch
        from torch import nn

        server = Server()
        self.addCleanup(server.close)
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 3))
        net.register_buffer("brain", torch.arange(3, dtype=torch.bfloat16))
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        client = gradscape.Client(port=server.port, every=2, most=None, activations=3)
        client.watch(net, loss="cross_entropy")
        kept = {}
        for step in range(9):
            x = torch.randn(16, 4)
            loss = nn.functional.cross_entropy(net(x), torch.randint(3, (16,)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            kept[step] = {name: value.detach().clone() for name, value in net.state_dict().items()}
            kept[step].update({f"gradients/{n}": p.grad.clone() for n, p in net.named_parameters()})
            client.log(step, loss=loss)
            if step == 0:
                self.assertTrue(client.wait_connected())
            time.sleep(0.05)
        client.close()
        hello = server.frames[0][0]
        self.assertIn("PyTorch", hello["framework"])
        self.assertEqual([n["op"] for n in hello["structure"]["nodes"]][-1], "Softmax")
        bodies = server.bodies()
        self.assertGreaterEqual(len(bodies), 3)
        for step, sent in bodies:
            for name, value in kept[step].items():
                name = name if name.startswith("gradients/") else f"weights/{name}"
                dtype, shape, data = sent[name]
                self.assertEqual(shape, tuple(value.shape))
                self.assertEqual(data, bytes(value.reshape(-1).view(torch.uint8).numpy()))
        self.assertEqual(sent["activations/1"][1], (3, 8))
        self.assertEqual(sent["weights/brain"][0], "BF16")

    def test_what_cannot_be_traced_is_said_and_streams_all_the_same(self):
        import torch
        from torch import nn

        class Branching(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(2, 2)

            def forward(self, x):
                return self.fc(x) if x.sum() > 0 else -self.fc(x)

        server = Server()
        self.addCleanup(server.close)
        net = Branching()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            client = gradscape.Client(port=server.port, every=1, most=None)
            client.watch(net, sample=torch.ones(1, 2))
            client.log(0, loss=1.0)
            client.wait_connected()
            net(torch.ones(1, 2))
            client.log(1, loss=torch.tensor(0.5))
            client.close()
        self.assertIn("cannot be traced", str(said[0].message))
        self.assertNotIn("structure", server.frames[0][0])
        self.assertIn("weights/fc.weight", server.bodies()[0][1])


if __name__ == "__main__":
    unittest.main()
