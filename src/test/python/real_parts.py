"""Parts of real models as their libraries build them, without numbers; what the families share of them."""

import json
import pathlib
import sys

from diffusers import AutoencoderKL
from transformers import T5Config, T5EncoderModel


def part(model):
    config = model.config.to_dict() if hasattr(model.config, "to_dict") else dict(model.config)
    if "_class_name" not in config and "architectures" not in config:
        config["_class_name"] = type(model).__name__
    names = {"_class_name", "architectures", "model_type"}
    kept = {k: v for k, v in config.items()
            if k in names or isinstance(v, (int, float, str, list, tuple)) and not k.startswith("_")}
    return {"config": kept, "tensors": {n: list(t.shape) for n, t in model.state_dict().items()}}


def vae(scaling, shift):
    """Of 16 channels, as models of flow matching have it."""
    return AutoencoderKL(
        latent_channels=16, block_out_channels=(128, 256, 512, 512), layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=1024, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=scaling,
        shift_factor=shift)


def t5():
    """T5-v1.1-XXL's encoder."""
    config = T5Config(vocab_size=32128, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
                      feed_forward_proj="gated-gelu")
    config.architectures = ["T5EncoderModel"]
    return T5EncoderModel(config)


def write(name, pipeline, parts, **scheduler):
    """The file of a model, in the folder that the command names."""
    text = json.dumps({
        "index": {"_class_name": pipeline},
        "scheduler": {"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000}
        | scheduler,
        "parts": {n: part(m) for n, m in parts.items()}}, separators=(",", ":"))
    out = pathlib.Path(sys.argv[1]) / (name + ".json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text.replace("],", "],\n") + "\n")
