"""Golden files of the kinds of adapters: src/test/resources/golden/adapters.

    peers/bin/python src/test/python/make_adapter_golden.py [NAME...]

Each is trained on a model of the other golden files, by peft or lycoris-lora. A folder holds the
adapter in that tool's own format at the start, its gradients in place of its numbers, and what ten
AdamW steps with clipping make of it; beside them the losses.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from diffusers import UNet2DConditionModel
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import load_file, save_file

import make_golden

GOLDEN = Path(__file__).parents[1] / "resources" / "golden"
OUT = GOLDEN / "adapters"
STEPS, RATE, CLIP = 10, 1e-2, 0.5
CONVOLUTIONS = ["conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "proj_in"]
UNET = ["to_q", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"] + CONVOLUTIONS
LINEAR = ["q_proj", "k_proj", "o_proj", "up_proj", "down_proj"]


def adamw(model, parameters):
    return torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)


def lora_plus(model, parameters):
    return create_loraplus_optimizer(model, torch.optim.AdamW, lr=RATE, loraplus_lr_ratio=4,
                                     loraplus_weight_decay=0.01)


def train(out, parameters, loss_of, save, optimizer):
    """Trains `parameters`; `save` writes them, as they are, to a path."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    save(out / "start")
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if step == 0 and not out.parent.name == "adapter-starts":
            kept = [p.detach().clone() for p in parameters]
            with torch.no_grad():
                for p in parameters:
                    p.copy_(p.grad)
                save(out / "gradients")
                for p, x in zip(parameters, kept):
                    p.copy_(x)
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        losses.append(loss.item())
    save(out / "final")
    save_file({"losses": torch.tensor(losses)}, out / "losses.safetensors")
    print(out.name, "loss", losses[0], "->", losses[-1])


def perturb(parameters, seed, deviation=0.15):
    """Away from the start, where half of the gradients are zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in parameters:
            noise = torch.randn(p.shape, generator=generator)
            p.copy_(p * (1 + 0.2 * noise) if p.abs().min() > 0.01 and p.dim() in (1, 4)
                    and p.numel() == max(p.shape) else noise * deviation)


def peft_saver(model):
    def save(path):
        model.save_pretrained(path)
        (path / "README.md").unlink(missing_ok=True)
        config = json.loads((path / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = ""  # a path of this machine
        config["target_modules"] = sorted(config["target_modules"])
        if config.get("init_lora_weights") in ("pissa", "olora"):
            config["init_lora_weights"] = True  # to be read for its numbers, whatever the base
        (path / "adapter_config.json").write_text(json.dumps(config, indent=1) + "\n")
    return save


def language(name, config, deviation=0.15, optimizer=adamw, model="llama"):
    """On a tiny model, with its golden file's batch."""
    folder = GOLDEN / model
    base = transformers.AutoModelForCausalLM.from_pretrained(
        folder / "base", attn_implementation="eager").float().eval()
    model = get_peft_model(base, config).eval()
    parameters = [p for p in model.parameters() if p.requires_grad]
    if deviation:
        perturb(parameters, 3, deviation)
    golden = load_file(folder / "golden.safetensors")
    ids, labels, mask = [], [], []
    at = 0
    longest = max(make_golden.DOCUMENTS)
    for n in make_golden.DOCUMENTS:
        pad = longest - n
        ids.append(torch.nn.functional.pad(golden["ids"][at:at + n].long(), (0, pad)))
        labels.append(torch.nn.functional.pad(golden["labels"][at:at + n].long(), (0, pad), value=-100))
        mask.append(torch.nn.functional.pad(torch.ones(n, dtype=torch.long), (0, pad)))
        at += n
    ids, labels, mask = torch.stack(ids), torch.stack(labels), torch.stack(mask)

    def loss_of():
        logits = model(input_ids=ids, attention_mask=mask).logits
        return torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=-100)

    train(OUT / name, parameters, loss_of, peft_saver(model), optimizer(model, parameters))


def diffusion(name, adapt, deviation=0.15):
    """On the tiny UNet of SD 1.5. `adapt` returns the model, its parameters and how to save them."""
    unet = UNet2DConditionModel.from_pretrained(GOLDEN / "sd15" / "base" / "unet").float().eval()
    model, parameters, save = adapt(unet)
    perturb(parameters, 4, deviation)
    golden = load_file(GOLDEN / "sd15" / "golden.safetensors")

    def images(key):
        return golden[key].reshape(2, 6, 10, 4).permute(0, 3, 1, 2)

    context = golden["text"].reshape(2, 12, -1)

    def loss_of():
        prediction = model(images("latents"), golden["timesteps"], context).sample
        errors = (prediction - images("target")).square().mean((1, 2, 3))
        return (golden["weights"] * errors).mean()

    train(OUT / name, parameters, loss_of, save, adamw(model, parameters))


def with_peft(config):
    def adapt(unet):
        model = get_peft_model(unet, config).eval()
        return model, [p for p in model.parameters() if p.requires_grad], peft_saver(model)
    return adapt


def with_lycoris(**setting):
    """The layers that are called so, in the way and the names of its kohya module."""
    def adapt(unet):
        from lycoris import LycorisNetwork, create_lycoris

        names = [n for n, m in unet.named_modules()
                 if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))
                 and any(n.endswith("." + t) for t in UNET)]
        LycorisNetwork.apply_preset({"target_module": [], "target_name": names})
        network = create_lycoris(unet, 1.0, linear_dim=3, linear_alpha=5, conv_dim=3,
                                 conv_alpha=5, **setting)
        network.apply_to()
        assert len(network.loras) == len(names), (len(network.loras), len(names))
        parameters = [p for p in network.parameters() if p.requires_grad]

        def save(path):
            save_file({k: v.contiguous() for k, v in network.state_dict().items()},
                      f"{path}.safetensors")
        return unet, parameters, save
    return adapt


CASES = {
    # Beside the others: their base is another one from the start on, and signs are free.
    "../adapter-starts/pissa": lambda name: language(name, LoraConfig(
        r=3, lora_alpha=5, target_modules=LINEAR, init_lora_weights="pissa"), deviation=0),
    "../adapter-starts/olora": lambda name: language(name, LoraConfig(
        r=3, lora_alpha=5, target_modules=LINEAR, init_lora_weights="olora"), deviation=0),
    "lora-plus": lambda name: language(
        name, LoraConfig(r=3, lora_alpha=5, target_modules=LINEAR), optimizer=lora_plus),
    "dora-plus": lambda name: language(
        name, LoraConfig(r=3, lora_alpha=5, target_modules=LINEAR, use_dora=True),
        optimizer=lora_plus),
    "dora": lambda name: language(
        name, LoraConfig(r=3, lora_alpha=5, target_modules=LINEAR, use_dora=True)),
    "sd-dora": lambda name: diffusion(
        name, with_peft(LoraConfig(r=3, lora_alpha=5, target_modules=UNET, use_dora=True))),
    "loha": lambda name: language(name, LoHaConfig(r=3, alpha=5, target_modules=LINEAR), 0.4),
    "lokr": lambda name: language(name, LoKrConfig(r=1, alpha=5, target_modules=LINEAR), 0.3),
    "lokr-full": lambda name: language(
        name, LoKrConfig(r=12, alpha=5, decompose_factor=2, target_modules=LINEAR), 0.2),
    # Embedding and head trained as a whole beside LoRA: one matrix, and two.
    "whole-tied": lambda name: language(
        name, LoraConfig(r=3, lora_alpha=5, target_modules=LINEAR,
                         modules_to_save=["embed_tokens"], ensure_weight_tying=True)),
    "whole-untied": lambda name: language(
        name, LoraConfig(r=3, lora_alpha=5, target_modules=LINEAR,
                         modules_to_save=["embed_tokens", "lm_head"]), model="llama-linear"),
    "whole-head-untied": lambda name: language(
        name, LoraConfig(r=3, lora_alpha=5, target_modules=LINEAR,
                         modules_to_save=["lm_head"]), model="llama-linear"),
    "sd-loha": lambda name: diffusion(name, with_lycoris(algo="loha"), 0.4),
    "sd-lokr": lambda name: diffusion(name, with_lycoris(algo="lokr"), 0.3),
    "sd-lokr-factor": lambda name: diffusion(name, with_lycoris(algo="lokr", factor=2), 0.3),
}

if __name__ == "__main__":
    torch.set_num_threads(2)
    for case, make in CASES.items():
        if not sys.argv[1:] or case in sys.argv[1:]:
            torch.manual_seed(7)
            make(case)
