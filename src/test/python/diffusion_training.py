"""What the golden files of diffusion models have in common: random weights, and two trainings."""

import torch
from peft import LoraConfig

RATE, STEPS = 1e-2, 10


def rounded(model):
    """Random weights that f16 holds exactly; biases and norms are random too."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 1:
                p.copy_(torch.randn_like(p) * 0.1 + (1 if "norm" in name and "weight" in name else 0))
    return model.half().float().eval()


def nhwc(x):
    return x.permute(0, 2, 3, 1).contiguous()


def encoder_layers(texts):
    """Every linear layer of CLIP's encoders that adapters may be on, by its path."""
    return {("text_encoder." if i == 0 else "text_encoder_2.") + n.removeprefix("text_model."): layer
            for i, text in enumerate(texts) for n, layer in text.named_modules()
            if ".layers." in n and isinstance(layer, torch.nn.Linear)}


def loss_of(prediction, target, weights):
    return (weights * (prediction - target).square().mean((1, 2, 3))).mean()


def adamw(denoiser, part, targets, predict, target, weights):
    """Starts, gradients and results of ten steps of AdamW on adapters of PEFT's."""
    golden = {}
    denoiser.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=targets,
                                    init_lora_weights=False))
    adapters = {n: p for n, p in denoiser.named_parameters() if "lora_" in n}
    with torch.no_grad():
        for n, p in adapters.items():
            p.copy_(torch.randn_like(p) * 0.1)

    def key(n):
        n = n.replace(".default.weight", "")
        path, kind = n.rsplit(".", 1)
        return part + path + "." + kind

    for n, p in adapters.items():
        golden["start." + key(n)] = p.detach().flatten(1).clone()
    optimizer = torch.optim.AdamW(adapters.values(), lr=RATE, weight_decay=0.01)
    losses = []
    for step in range(STEPS):
        loss = loss_of(predict(), target, weights)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            for n, p in adapters.items():
                golden["grad." + key(n)] = p.grad.flatten(1).clone()
        torch.nn.utils.clip_grad_norm_(adapters.values(), 0.5)
        optimizer.step()
        losses.append(loss.item())
    golden["losses"] = torch.tensor(losses)
    for n, p in adapters.items():
        golden["final." + key(n)] = p.detach().flatten(1).clone()
    return golden


def hooked(layers, predict, target, weights):
    """Losses of two plain gradient steps and the first gradients, with low-rank hooks."""
    golden, parameters = {}, {}

    def adapt(path, layer):
        conv = isinstance(layer, torch.nn.Conv2d)
        shape = (2, *layer.weight.shape[1:])
        a = (torch.randn(shape) * 0.1).requires_grad_()
        b = (torch.randn(layer.weight.shape[0], 2) * 0.1).requires_grad_()
        parameters[path] = (a, b, conv)

        def add(module, inputs, output):
            if conv:
                low = torch.nn.functional.conv2d(inputs[0], a, None, module.stride, module.padding)
                return output + 3 * torch.einsum("brhw,or->bohw", low, b)
            return output + 3 * (inputs[0] @ a.T) @ b.T

        layer.register_forward_hook(add)

    for path, layer in layers.items():
        adapt(path, layer)

    def ours(x, conv):
        return (x.permute(0, 2, 3, 1) if conv and x.ndim == 4 else x).flatten(1).clone()

    losses = []
    for step in range(2):
        loss = loss_of(predict(), target, weights)
        every = [p for a, b, _ in parameters.values() for p in (a, b)]
        # The last layer of SDXL's first encoder is never read.
        gradients = torch.autograd.grad(loss, every, allow_unused=True)
        losses.append(loss.item())
        for (path, (a, b, conv)), i in zip(parameters.items(), range(0, len(every), 2)):
            for kind, x, gradient in (("A", a, gradients[i]), ("B", b, gradients[i + 1])):
                gradient = torch.zeros_like(x) if gradient is None else gradient
                if step == 0:
                    golden[f"hooked.start.{path}.lora_{kind}"] = ours(x.detach(), conv)
                    golden[f"hooked.grad.{path}.lora_{kind}"] = ours(gradient, conv)
                x.data -= gradient
    golden["hooked.losses"] = torch.tensor(losses)
    return golden
