"""Streams what a Lightning Trainer fits to gradscape.

    pip install lightning numpy ../../python
    gradscape watch tcp --window
    python lightning_watch.py
"""

import argparse
import logging
import warnings

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import gradscape
from digits import digits
from gradscape.lightning import GradscapeCallback

warnings.filterwarnings("ignore", module="lightning")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Digits(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, 10)
        )

    def _loss(self, batch, name):
        images, labels = batch
        scores = self.net(images)
        loss = nn.functional.cross_entropy(scores, labels)
        accuracy = (scores.argmax(1) == labels).float().mean()
        self.log_dict({f"{name}_loss": loss, f"{name}_accuracy": accuracy})
        return loss

    def training_step(self, batch, _):
        return self._loss(batch, "train")

    def validation_step(self, batch, _):
        self._loss(batch, "val")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=2e-3)


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=gradscape.DEFAULT_PORT)
parser.add_argument("--epochs", type=int, default=5)
args = parser.parse_args()

lightning.seed_everything(0, verbose=False)
images, labels = (torch.from_numpy(part) for part in digits())
trainer = lightning.Trainer(
    max_epochs=args.epochs,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_model_summary=False,
    enable_progress_bar=False,
    callbacks=[GradscapeCallback(run="lightning-digits", port=args.port, loss="cross_entropy", every=10, most=20)],
)
train = DataLoader(TensorDataset(images[:1400], labels[:1400]), batch_size=64, shuffle=True)
held_back = DataLoader(TensorDataset(images[1400:], labels[1400:]), batch_size=256)
trainer.fit(Digits(), train, held_back)
print(f"val_accuracy {trainer.callback_metrics['val_accuracy']:.1%}")
