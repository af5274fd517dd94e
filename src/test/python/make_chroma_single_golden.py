"""A tiny Chroma's transformer in its authors' names, and what diffusers computes from it.

    python src/test/python/make_chroma_single_golden.py src/test/resources/golden/single-chroma

T5 and VAE are those of single-flux, which fit. That the names are right is diffusers' word, as in
make_flux_single_golden.py.
"""

import pathlib
import sys

import torch
from safetensors.torch import save_file

from diffusion_training import nhwc
from make_chroma_golden import FEW_LENGTHS, chroma, predict, shown
from make_flux_single_golden import FEW_TOKENS, JOINT, LAYERS, SINGLES, converter, original_transformer, save

APPROXIMATOR = "distilled_guidance_layer."


def original(s):
    o = original_transformer(s)
    for name, x in s.items():
        if name.startswith(APPROXIMATOR):
            if "norms." in name:
                name = name.replace(".weight", ".scale")
            o[name.replace("linear_1", "in_layer").replace("linear_2", "out_layer")] = x
    return o


def main(out):
    torch.manual_seed(45)
    out.mkdir(parents=True, exist_ok=True)
    transformer = chroma(
        in_channels=16, num_layers=LAYERS, num_single_layers=SINGLES, attention_head_dim=32,
        num_attention_heads=2, joint_attention_dim=JOINT, axes_dims_rope=(4, 14, 14),
        approximator_num_channels=16, approximator_hidden_dim=24, approximator_layers=3)
    file = original({n: x.clone() for n, x in transformer.state_dict().items()})
    back = converter("chroma")(dict(file))
    assert back.keys() == transformer.state_dict().keys()
    assert all(torch.equal(back[n], x) for n, x in transformer.state_dict().items())
    text = torch.randn(2, FEW_TOKENS, JOINT)
    latents = torch.randn(2, 4, 6, 10)
    timesteps = torch.tensor([17.5, 803.25])
    mask = shown(FEW_LENGTHS, FEW_TOKENS)
    with torch.no_grad():
        prediction = predict(transformer, latents, timesteps, text, mask)
    save(out, "transformer.safetensors", {n: x.half() for n, x in file.items()})
    save_file({"context": text, "latents": nhwc(latents), "timesteps": timesteps,
               "padding": (~mask).sum(1).int(), "prediction": nhwc(prediction)},
              out / "golden.safetensors")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
