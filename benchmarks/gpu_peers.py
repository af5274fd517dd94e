"""What torch does on the same card, for gpu-check: kernels by shape, and whole training steps.

    gpu_peers.py kernels KERNELS.json OUT.json            as KernelTimes wrote them
    gpu_peers.py llm FOLDER none|nf4 BATCH LENGTH OUT.json    transformers + peft
    gpu_peers.py sd FOLDER BATCH SIDE OUT.json                diffusers + peft

Writes JSON; what cannot be compared, since a package is missing, is written as {"missing": why}.
"""

import json
import statistics
import sys
import time

RANK, STEPS, SKIP = 16, 10, 3


def seconds(torch, run):
    """The time of one call, measured over at least 50 ms."""
    for _ in range(2):
        run()
    repeats = 1
    while True:
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        torch.cuda.synchronize()
        took = time.perf_counter() - start
        if took > 0.05:
            return took / repeats
        repeats = min(10000, int(repeats * max(2, 0.075 / took)))


def backward(torch, y, inputs):
    dy = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)


def kernel(torch, k):
    """A call that does what the object of KernelTimes says, or None."""
    def normal(*shape):
        return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)

    op = k["op"]
    if op.endswith("linear") or op == "lora_linear_backward":
        if k["weights"] != "BF16":
            return None
        x, w = normal(k["M"], k["K"]).requires_grad_(), normal(k["N"], k["K"])
        if op == "linear":
            return lambda: torch.nn.functional.linear(x, w)
        a, b = normal(RANK, k["K"]).requires_grad_(), normal(k["N"], RANK).requires_grad_()

        def adapted():
            return torch.nn.functional.linear(x, w) + 0.5 * (x @ a.T) @ b.T
        return adapted if op == "lora_linear" else backward(torch, adapted(), (x, a, b))
    if op.startswith("conv2d"):
        x = normal(k["images"], k["in"], k["side"], k["side"]).to(memory_format=torch.channels_last)
        w = normal(k["out"], k["in"], 3, 3).to(memory_format=torch.channels_last)
        x.requires_grad_()

        def convolved():
            return torch.nn.functional.conv2d(x, w, padding=1)
        return convolved if op == "conv2d" else backward(torch, convolved(), (x,))
    keys = k["keys"] or k["queries"]
    q = normal(k["batch"], k["heads"], k["queries"], k["head_dim"]).requires_grad_()
    kv = [normal(k["batch"], k["kv_heads"], keys, k["head_dim"]).requires_grad_() for _ in range(2)]

    def attended():
        return torch.nn.functional.scaled_dot_product_attention(
            q, *kv, is_causal=k["keys"] == 0, enable_gqa=k["heads"] != k["kv_heads"])
    return attended if op == "attention" else backward(torch, attended(), (q, *kv))


def kernels(specs, out):
    import torch

    results = []
    for k in json.load(open(specs)):
        try:
            call = kernel(torch, k)
            took = seconds(torch, call) if call else 0
            results.append({"tflops": k["flop"] / took / 1e12, "ms": took * 1e3} if call else {})
        except RuntimeError as e:  # out of memory, no kernel for the shape
            results.append({"error": str(e).splitlines()[0]})
        json.dump(results, open(out, "w"))


def steps(torch, model, batch_of, units):
    """Throughput and memory of LoRA steps; batch_of gives the loss."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4,
                                  fused=True)
    times = []
    for _ in range(STEPS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        loss = batch_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return {"per_s": units / statistics.median(times[SKIP:]),
            "reserved_bytes": torch.cuda.max_memory_reserved(), "torch": torch.__version__}


def llm(folder, quantize, batch, length, out):
    import torch
    import transformers
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    extra = {}
    if quantize == "nf4":
        import bitsandbytes  # noqa: F401: asks for it before the long load
        extra["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, device_map="cuda", attn_implementation="sdpa", **extra)
    if quantize == "nf4":
        model = prepare_model_for_kbit_training(model)
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=RANK, target_modules="all-linear"))
    model.train()
    vocab = model.config.vocab_size

    def loss():
        ids = torch.randint(0, vocab, (int(batch), int(length)), device="cuda")
        return model(input_ids=ids, labels=ids).loss
    result = steps(torch, model, loss, int(batch) * int(length))
    json.dump(result | {"gradient_checkpointing": True}, open(out, "w"))


def sd(folder, batch, side, out):
    import torch
    from diffusers import UNet2DConditionModel
    from peft import LoraConfig

    batch, side = int(batch), int(side) // 8
    model = UNet2DConditionModel.from_pretrained(folder, subfolder="unet",
                                                 torch_dtype=torch.bfloat16).to("cuda")
    model.requires_grad_(False)
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=[
        "to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]))
    for p in model.parameters():
        if p.requires_grad:
            p.data = p.data.float()
    config = model.config

    def normal(*shape):
        return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)

    def loss():
        added = None
        if config.addition_embed_type:
            pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            added = {"text_embeds": normal(batch, pooled),
                     "time_ids": torch.full((batch, 6), 1024.0, device="cuda")}
        with torch.autocast("cuda", torch.bfloat16):
            y = model(normal(batch, 4, side, side), torch.randint(0, 1000, (batch,), device="cuda"),
                      normal(batch, 77, config.cross_attention_dim),
                      added_cond_kwargs=added).sample
        return torch.nn.functional.mse_loss(y.float(), normal(*y.shape).float())
    json.dump(steps(torch, model, loss, batch), open(out, "w"))


if __name__ == "__main__":
    try:
        import torch
        if not torch.cuda.is_available():
            raise ImportError("torch sees no card")
        {"kernels": kernels, "llm": llm, "sd": sd}[sys.argv[1]](*sys.argv[2:])
    except ImportError as e:
        if sys.argv[1] != "kernels":
            json.dump({"missing": getattr(e, "name", None) or str(e)}, open(sys.argv[-1], "w"))
        print(e)
