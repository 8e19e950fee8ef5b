"""The contestants of `throughput.py`, and the process that each of them runs in.

Every contestant trains one model: 784-400-20 and mirrored, Bernoulli likelihood, Adam at 1e-3,
batches of 128. A contestant is a function of a folder of images. It returns
``train(weights, epochs, seed)``, which trains from those weights and returns the trained ones.

Imports stay inside the functions, so that no contestant pays memory for another's libraries.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

EVENT, LATENT, HIDDEN, BATCH, RATE = (1, 28, 28), 20, 400, 128, 1e-3
PRECISIONS = {"fit_fp32": "float32", "fit_fast_fp32": "fast-float32", "fit_bf16": "bfloat16"}


def peer_model():
    """Return the model of PyTorch's own VAE example, whose decoder ends in a sigmoid."""
    from torch import nn

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(784, HIDDEN)
            self.mean = nn.Linear(HIDDEN, LATENT)
            self.log_variance = nn.Linear(HIDDEN, LATENT)

        def forward(self, x):
            h = self.hidden(x.view(-1, 784)).relu()
            return self.mean(h), self.log_variance(h)

    decoder = nn.Sequential(
        nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 784), nn.Sigmoid()
    )
    return nn.ModuleDict({"encoder": Encoder(), "decoder": decoder})


def peer_loss(model, x):
    """Sum over pixels, mean over the batch: the loss that `elbo` and Pythae compute."""
    import torch
    from torch.nn import functional as F

    mean, log_variance = model["encoder"](x)
    z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
    cross_entropy = F.binary_cross_entropy(model["decoder"](z), x.view(-1, 784), reduction="sum")
    kl = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return (cross_entropy + kl) / len(x)


def set_peer_weights(model, weights):
    import torch

    first, bias, last, last_bias, *decoder = weights
    parts = (*last.chunk(2), *last_bias.chunk(2))
    weights = [first, bias, parts[0], parts[2], parts[1], parts[3], *decoder]
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), weights, strict=True):
            parameter.copy_(value)


def get_peer_weights(model):
    import torch

    first, bias, mean, mean_bias, variance, variance_bias, *decoder = (
        p.detach() for p in model.parameters()
    )
    joined = (torch.cat([mean, variance]), torch.cat([mean_bias, variance_bias]))
    return [first, bias, *joined, *decoder]


def images(folder, *, train=True):
    """Return all images as float32 of shape (N, 1, 28, 28)."""
    from torchvision.datasets import MNIST

    return MNIST(folder, train=train).data.unsqueeze(1).float().div_(255)


def tutorial(folder):
    import torch
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    data = datasets.MNIST(folder, transform=transforms.ToTensor())

    def train(weights, epochs, seed):
        torch.manual_seed(seed)
        loader = DataLoader(data, batch_size=BATCH, shuffle=True)
        model = peer_model()
        set_peer_weights(model, weights)
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
        for _ in range(epochs):
            for x, _ in loader:
                optimizer.zero_grad()
                loss = peer_loss(model, x)
                loss.backward()
                loss.item()
                optimizer.step()
        return get_peer_weights(model)

    return train


def pythae(folder):
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Encoder(BaseEncoder):
        def __init__(self, layers):
            super().__init__()
            self.layers = layers

        def forward(self, x):
            mean, log_variance = self.layers(x)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self, layers):
            super().__init__()
            self.layers = layers

        def forward(self, z):
            return ModelOutput(reconstruction=self.layers(z).view(-1, *EVENT))

    x = images(folder)
    data = BaseDataset(x, x.new_zeros(len(x)))
    shape = VAEConfig(input_dim=EVENT, latent_dim=LATENT, reconstruction_loss="bce")

    def train(weights, epochs, seed):
        model = peer_model()
        set_peer_weights(model, weights)
        vae = VAE(shape, Encoder(model["encoder"]), Decoder(model["decoder"]))
        plan = BaseTrainerConfig(
            output_dir=str(Path(folder, "pythae")),
            per_device_train_batch_size=BATCH,
            num_epochs=epochs,
            learning_rate=RATE,
            seed=seed,
            no_cuda=True,
        )
        BaseTrainer(vae, data, training_config=plan).train()
        return get_peer_weights(model)

    return train


def lightning(folder):
    import torch
    from lightning import LightningModule, Trainer
    from torch.utils.data import DataLoader, TensorDataset

    class Module(LightningModule):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def training_step(self, batch, _):
            return peer_loss(self.model, batch[0])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=RATE)

    data = TensorDataset(images(folder))
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")

    def train(weights, epochs, seed):
        torch.manual_seed(seed)
        loader = DataLoader(data, batch_size=BATCH, shuffle=True)
        model = peer_model()
        set_peer_weights(model, weights)
        options = dict.fromkeys(quiet, False)
        Trainer(accelerator="cpu", max_epochs=epochs, **options).fit(Module(model), loader)
        return get_peer_weights(model)

    return train


def our_model(seed):
    """Return the package's model, its first weights drawn from a seed."""
    import torch

    from vaecourse.models import mlp_vae

    torch.manual_seed(seed)
    return mlp_vae(EVENT, LATENT, (HIDDEN,))


def set_our_weights(model, weights):
    """Copy weights into the package's model and return it."""
    import torch

    with torch.no_grad():
        for parameter, value in zip(model.parameters(), weights, strict=True):
            parameter.copy_(value)
    return model


def ours(precision):
    """Return the contestant that calls `fit` in one precision."""

    def contestant(folder):
        import torch

        from vaecourse.data import Batch
        from vaecourse.objectives import elbo
        from vaecourse.training import fit

        x = images(folder)
        data = Batch(x, torch.full((len(x),), -1))

        def train(weights, epochs, seed):
            model = set_our_weights(our_model(seed), weights)
            options = {"device": "cpu", "precision": precision, "progress": False, "seed": seed}
            fit(model, elbo, data, epochs=epochs, batch_size=BATCH, lr=RATE, **options)
            return [p.detach() for p in model.parameters()]

        return train

    return contestant


CONTESTANTS = {"tutorial": tutorial, "pythae": pythae, "lightning": lightning} | {
    name: ours(precision) for name, precision in PRECISIONS.items()
}


def test_loss(folder, weights):
    """Return the test -ELBO of trained weights in nats, in float32, whoever trained them."""
    import torch

    from vaecourse.data import HeldOut
    from vaecourse.evaluation import evaluate
    from vaecourse.objectives import elbo

    x = images(folder, train=False)
    held_out = HeldOut(x, torch.full((len(x),), -1))
    return evaluate(set_our_weights(our_model(0), weights), elbo, held_out)["loss"]


def peak_memory():
    """Return the most memory that this process has held so far, in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def answer_requests(name, folder):
    """Train whenever a line of JSON asks for it; answer in a line of JSON.

    Libraries write to standard output as they like: it goes to the log, and replies go past it.
    """
    replies = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    start = peak_memory()
    train = CONTESTANTS[name](folder)
    for line in sys.stdin:
        request = json.loads(line)
        weights = [p.detach() for p in our_model(request["seed"]).parameters()]
        wall, cpu = time.perf_counter(), time.process_time()
        trained = train(weights, request["epochs"], request["seed"])
        reply = {
            "seconds": time.perf_counter() - wall,
            "cpu_seconds": time.process_time() - cpu,
            "start_mib": start,
            "peak_mib": peak_memory(),
        }
        print(json.dumps(reply | {"test_loss": test_loss(folder, trained)}), file=replies)


if __name__ == "__main__":
    answer_requests(*sys.argv[1:])
