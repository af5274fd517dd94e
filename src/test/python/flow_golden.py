"""What the golden files of models of flow matching have in common: a tiny VAE, the base's folder, what is learnt."""

import copy
import json

import torch
from diffusers import AutoencoderKL
from transformers.models.t5.modeling_t5 import T5Attention

from diffusion_training import nhwc, rounded
from make_diffusion_golden import BATCH, HEIGHT, WIDTH


def tiny_vae(scaling, shift):
    return rounded(AutoencoderKL(
        latent_channels=4, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        sample_size=32, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=scaling,
        shift_factor=shift))


def save_base(base, pipeline, parts, **scheduler):
    """A folder in diffusers' layout, in f16."""
    for part, model in parts.items():
        copy.deepcopy(model).half().save_pretrained(base / part)
    (base / "scheduler").mkdir(parents=True, exist_ok=True)
    (base / "scheduler" / "scheduler_config.json").write_text(json.dumps(
        {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000}
        | scheduler) + "\n")
    (base / "model_index.json").write_text(json.dumps({"_class_name": pipeline}) + "\n")


def t5_texts(tokens, longer):
    """Ids of two texts as T5 reads them, one of 9 tokens and one of longer + 1, filled up to tokens."""
    ids = torch.zeros(BATCH, tokens, dtype=torch.long)
    ids[0, :9] = torch.tensor([5, 17, 3, 40, 59, 8, 8, 21, 1])
    ids[1, :longer] = torch.randint(2, 60, (longer,))
    ids[1, longer] = 1
    distance = torch.arange(-(tokens - 1), tokens)
    return ids, {"t5_ids": ids.int(),
                 "distances": T5Attention._relative_position_bucket(distance).int()}


def images(vae):
    """An image encoded and latents decoded."""
    with torch.no_grad():
        image = torch.rand(1, 3, 20, 28) * 2 - 1
        moments = vae.encode(image).latent_dist.parameters
        z = torch.randn(1, 4, 5, 7)
        return {"image": nhwc(image), "moments": nhwc(moments), "z": nhwc(z),
                "decoded": nhwc(vae.decode(z).sample)}


def lesson():
    """Latents, the target of what is predicted of them, weights and timesteps; and their golden tensors."""
    latents = torch.randn(BATCH, 4, HEIGHT, WIDTH)
    target = torch.randn(BATCH, 4, HEIGHT, WIDTH)
    weights = torch.tensor([1.0, 0.5])
    timesteps = torch.tensor([17.5, 803.25])
    return latents, target, weights, timesteps, {
        "latents": nhwc(latents), "target": nhwc(target), "weights": weights, "timesteps": timesteps}
