"""What torch does on the same card, for gpu_check.

    peers.py kernels SHAPE...              as kernels_stage.py names them
    peers.py step MODEL none|nf4 UNITS     a whole training step; UNITS: tokens, or images

Hand-made where a bare machine has no package for it: NF4 by a Triton kernel that dequantizes a
matrix before torch multiplies, diffusion models by unet.py."""
import json
import statistics
import sys
import time

import torch

from child import MARK

F = torch.nn.functional
RANK, STEPS, WARM_UP = 16, 12, 4
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # the CPU only to try this file out
LONG_ENOUGH = .05


def say(**line):
    print(MARK + json.dumps(line), flush=True)


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def seconds(run):
    """The time of one call, measured over at least 50 ms."""
    for _ in range(3):
        run()
    repeats = 1
    while True:
        wait()
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        wait()
        took = time.perf_counter() - start
        if took > LONG_ENOUGH or repeats == 10000:
            return took / repeats
        repeats = min(10000, int(repeats * max(2, 1.5 * LONG_ENOUGH / took)))


def normal(*shape):
    return torch.randn(*shape, device=DEVICE, dtype=torch.bfloat16)


def backward(y, inputs):
    dy = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)


def linear_ops(dtype, m, width, out):
    x = normal(m, width).requires_grad_()
    a, b = normal(RANK, width).requires_grad_(), normal(out, RANK).requires_grad_()
    if dtype == "NF4":
        from nf4 import Nf4Matrix
        plain = Nf4Matrix(out, width, DEVICE)
    else:
        w = normal(out, width)

        def plain(x):
            return F.linear(x, w)

    def adapted():
        return plain(x) + 0.5 * (x @ a.T) @ b.T
    product, low = 2 * m * width * out, 2 * m * RANK * (width + out)
    return (("linear", lambda: plain(x), product), ("lora_linear", adapted, product + low),
            ("lora_linear_backward", backward(adapted(), (x, a, b)), product + 2 * low))


def conv_ops(images, side, width, out):
    x = normal(images, width, side, side).to(memory_format=torch.channels_last).requires_grad_()
    w = normal(out, width, 3, 3).to(memory_format=torch.channels_last)

    def run():
        return F.conv2d(x, w, padding=1)
    flop = 2 * images * side * side * 9 * width * out
    return ("conv2d", run, flop), ("conv2d_backward", backward(run(), (x,)), flop)


def attention_ops(heads, kv_heads, head_dim, queries, batch, keys):
    q = normal(batch, heads, queries, head_dim).requires_grad_()
    kv = [normal(batch, kv_heads, keys or queries, head_dim).requires_grad_() for _ in range(2)]

    def run():
        return F.scaled_dot_product_attention(q, *kv, is_causal=keys == 0,
                                              enable_gqa=heads != kv_heads)
    pairs = batch * queries * (keys or (queries + 1) / 2)
    flop = 4 * pairs * heads * head_dim
    return ("attention", run, flop), ("attention_backward", backward(run(), (q, *kv)), 2.5 * flop)


def kernels(*shapes):
    for shape in shapes:
        say(began=shape)
        kind, *words = shape.split(",")
        try:
            if kind == "linear":
                ops = linear_ops(words[0], *map(int, words[1:]))
            else:
                ops = {"conv": conv_ops, "attention": attention_ops}[kind](*map(int, words))
            for op, run, flop in ops:
                took = seconds(run)
                say(op=op, ms=took * 1e3, tflops=flop / took / 1e12)
        except torch.OutOfMemoryError as e:
            print(e)
        say(ended=shape)


class Lora(torch.nn.Module):
    """A frozen linear layer, in bf16 or NF4, with its adapter in f32."""

    def __init__(self, frozen, quantize):
        super().__init__()
        out, width = frozen.weight.shape
        if quantize == "nf4":
            from nf4 import Nf4Matrix
            self.plain, self.bias = Nf4Matrix(out, width, DEVICE), None
        else:
            self.plain = frozen.requires_grad_(False)
        self.a = torch.nn.Parameter(torch.randn(RANK, width, device=DEVICE) / width ** .5)
        self.b = torch.nn.Parameter(torch.zeros(out, RANK, device=DEVICE))

    def forward(self, x):
        return self.plain(x) + (x @ self.a.to(x.dtype).T) @ self.b.to(x.dtype).T


def adapt(model, quantize, wanted=lambda name: True):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for name, module in list(model.named_modules()):
        for child_name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear) and wanted(f"{name}.{child_name}"):
                setattr(module, child_name, Lora(child, quantize))
    return model


def language_model(name, quantize, tokens):
    import transformers
    hidden, ffn, layers, heads, tied, vocab = {
        "qwen3-0.6b": (1024, 3072, 28, 16, True, 151936),
        "qwen3-1.7b": (2048, 6144, 28, 16, True, 151936),
        "qwen3-8b": (4096, 12288, 36, 32, False, 151936),
        "qwen3-toy": (64, 96, 2, 4, True, 380)}[name]
    config = transformers.Qwen3Config(
        hidden_size=hidden, intermediate_size=ffn, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=min(8, heads), head_dim=128,
        vocab_size=vocab, tie_word_embeddings=tied, attn_implementation="sdpa", use_cache=False)
    with torch.device(DEVICE):
        torch.set_default_dtype(torch.bfloat16)
        model = transformers.Qwen3ForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    adapt(model, quantize, lambda name: "lm_head" not in name)
    model.train()

    def loss():
        ids = torch.randint(0, vocab, (1, tokens), device=DEVICE)
        return model(input_ids=ids, labels=ids).loss
    return model, loss


def diffusion_model(name, images):
    import unet
    model, side = unet.build(name, DEVICE)
    adapt(model, "none", lambda name: ".blocks." in name or ".proj_" in name)

    def loss():
        y = model(normal(images, 4, side, side), normal(images, 77, model.context))
        return F.mse_loss(y.float(), torch.randn(y.shape, device=DEVICE))
    return model, loss


def step(name, quantize, units):
    units = int(units)
    if name.startswith("sd"):
        model, loss = diffusion_model(name, units)
    else:
        model, loss = language_model(name, quantize, units)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=DEVICE == "cuda")
    times = []
    for _ in range(STEPS):
        wait()
        start = time.perf_counter()
        loss().backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        wait()
        times.append(time.perf_counter() - start)
    peak = torch.cuda.max_memory_reserved() if DEVICE == "cuda" else 0
    say(per_s=units / statistics.median(times[WARM_UP:]), reserved_gb=round(peak / 1e9, 2),
        trained=sum(p.numel() for p in trained), torch=torch.__version__)


if __name__ == "__main__":
    {"kernels": kernels, "step": step}[sys.argv[1]](*sys.argv[2:])
