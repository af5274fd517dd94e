"""What diffusers and transformers make of the demo model models/emoji-sd.

    python src/test/python/make_emoji_golden.py models/emoji-sd src/test/resources/golden

emoji.safetensors: start noise [1, 4, 16, 16] and the pipeline's image [64, 64, 3] in [0, 1];
clip_tokens.json: texts and their token ids.
"""

import json
import pathlib
import sys

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from safetensors.torch import save_file

TEXTS = ["grinning face", "  Red   HEART ", "it's 1234 cats!?", "naïve café — ÜBER", "smile 😀👍🏽 now",
         "don't, can't; won't...", "", "a,b.c:d", "日本語 の テスト", "tab\tand\nnewline"]


def main(base, out):
    pipe = StableDiffusionPipeline.from_pretrained(base, torch_dtype=torch.float32)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, clip_sample=False)
    torch.manual_seed(5)
    latents = torch.randn(1, 4, 16, 16)
    image = pipe("cat face", negative_prompt="red", latents=latents.clone(), num_inference_steps=8,
                 guidance_scale=5.0, height=64, width=64, output_type="np").images[0]
    # The pipeline's own clip_skip does not know transformers 5's text encoder.
    ids = pipe.tokenizer(["cat face"], padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        states = pipe.text_encoder(ids, output_hidden_states=True).hidden_states[-2]
        states = pipe.text_encoder.final_layer_norm(states)
    skipped = pipe(prompt_embeds=states, latents=latents.clone(), num_inference_steps=4,
                   guidance_scale=1.0, height=64, width=64, output_type="np").images[0]
    save_file({"latents": latents, "image": torch.tensor(image).contiguous(),
               "skipped": torch.tensor(skipped).contiguous()},
              out / "emoji.safetensors")
    rows = [{"text": t, "ids": pipe.tokenizer(t).input_ids} for t in TEXTS]
    (out / "clip_tokens.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
