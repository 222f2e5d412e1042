"""Optimisers that PyTorch does not have, written from their papers in a few
lines of numpy. Each is a class like PyTorch's, over a list of tensors; what
`step` is told is the loss that it starts from."""

import numpy as np
import torch


class Reference:
    def __init__(self, params):
        self.params = list(params)
        self.state = [{} for _ in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self, loss):
        with torch.no_grad():
            for p, state in zip(self.params, self.state):
                w, g = p.numpy(), p.grad.numpy()
                p.copy_(torch.from_numpy(self.moved(w, g, state, loss)))


class Lion(Reference):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, params, lr, beta1, beta2, weight_decay):
        super().__init__(params)
        self.lr, self.b1, self.b2, self.wd = lr, beta1, beta2, weight_decay

    def moved(self, w, g, state, _):
        m = state.get("m", np.zeros_like(w))
        update = np.sign(self.b1 * m + (1 - self.b1) * g) + self.wd * w
        state["m"] = self.b2 * m + (1 - self.b2) * g
        return w - self.lr * update


class QHM(Reference):
    """Ma and Yarats 2019, equations 3 and 4."""

    def __init__(self, params, lr, beta, nu):
        super().__init__(params)
        self.lr, self.beta, self.nu = lr, beta, nu

    def moved(self, w, g, state, _):
        d = self.beta * state.get("d", np.zeros_like(w)) + (1 - self.beta) * g
        state["d"] = d
        return w - self.lr * ((1 - self.nu) * g + self.nu * d)


class RpropPlus(Reference):
    """iRprop+ of Igel and Huesken 2003, section 2.3, parameter by parameter."""

    def __init__(self, params, lr, eta_minus, eta_plus, step_min, step_max):
        super().__init__(params)
        self.lr, self.down, self.up = lr, eta_minus, eta_plus
        self.least, self.most = step_min, step_max

    def moved(self, w, g, state, loss):
        before = state.get("g", np.zeros_like(w))
        step = state.get("step", np.full_like(w, self.lr))
        last = state.get("move", np.zeros_like(w))
        grew = loss > state.get("loss", np.inf)
        kept = np.zeros_like(w)
        w = w.copy()
        for i in np.ndindex(w.shape):
            if before[i] * g[i] < 0:
                step[i] = max(step[i] * self.down, self.least)
                if grew:
                    w[i] -= last[i]
                continue
            if before[i] * g[i] > 0:
                step[i] = min(step[i] * self.up, self.most)
            last[i] = -np.sign(g[i]) * step[i]
            w[i] += last[i]
            kept[i] = g[i]
        state.update(g=kept, step=step, move=last, loss=loss)
        return w


class Gdx(Reference):
    """MATLAB's traingdx over all parameters at once; `evaluate` gives the loss
    at the current parameters."""

    def __init__(self, params, lr, momentum, lr_inc, lr_dec, max_perf_inc):
        super().__init__(params)
        self.lr, self.mc = lr, momentum
        self.inc, self.dec, self.bound = lr_inc, lr_dec, max_perf_inc
        self.moves = [np.zeros_like(p.detach().numpy()) for p in self.params]

    def step(self, loss, evaluate):
        start = [p.detach().clone() for p in self.params]
        grads = [p.grad.numpy() for p in self.params]
        self.moves = [self.mc * d - (1 - self.mc) * self.lr * g for d, g in zip(self.moves, grads)]
        with torch.no_grad():
            for p, d in zip(self.params, self.moves):
                p += torch.from_numpy(d)
        reached = evaluate()
        if reached / loss > self.bound:
            with torch.no_grad():
                for p, s in zip(self.params, start):
                    p.copy_(s)
            self.lr *= self.dec
            self.moves = [-self.lr * g for g in grads]
        elif reached < loss:
            self.lr *= self.inc
