"""A callback for Lightning: `Trainer(callbacks=[GradscapeCallback(run="mnist")])`."""

try:
    from lightning.pytorch.callbacks import Callback
except ImportError:
    from pytorch_lightning.callbacks import Callback

from torch import nn

from ._client import Client, quiet


class GradscapeCallback(Callback):
    """Sends what a `Trainer` fits.

    module  the attribute of the LightningModule that is the network; unless said, its only child
            with parameters, or else the LightningModule itself
    loss    what the loss adds behind the last layer: "cross_entropy", "bce_with_logits" or None
    """

    def __init__(self, client=None, module=None, loss=None, **options):
        self._own = client is None
        self.client = Client(**options) if client is None else client
        self._name, self._loss = module, loss

    def _warn(self, message):
        self.client._warn(message)

    @quiet
    def on_train_start(self, trainer, pl_module):
        self.client.watch(self._network(pl_module), loss=self._loss)

    def _network(self, pl_module):
        if self._name is not None:
            return getattr(pl_module, self._name)
        children = [child for child in pl_module.children() if any(True for _ in child.parameters())]
        return children[0] if len(children) == 1 and isinstance(children[0], nn.Module) else pl_module

    @quiet
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        metrics = {}
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            metrics["loss"] = loss
        for name, value in trainer.callback_metrics.items():
            # Of the epoch before, and told when it ended.
            if not name.startswith(("val", "test")) and not name.endswith("_epoch"):
                metrics.setdefault(name, value)
        self.client.log(trainer.global_step, **metrics)

    @quiet
    def on_validation_end(self, trainer, pl_module):
        if trainer.sanity_checking:
            return
        held_back = {name: value for name, value in trainer.callback_metrics.items() if name.startswith("val")}
        if held_back:
            self.client.log(trainer.global_step, **held_back)

    @quiet
    def on_fit_end(self, trainer, pl_module):
        if self._own:
            self.client.close()

    @quiet
    def on_exception(self, trainer, pl_module, exception):
        if self._own:
            self.client.close(1.0)
