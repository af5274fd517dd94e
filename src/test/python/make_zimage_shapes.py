"""Config of the real Z-Image-Turbo, and the names and shapes of its tensors.

    python src/test/python/make_zimage_shapes.py src/test/resources/shapes

As make_sd3_shapes.py, from the numbers that are diffusers' defaults and those of Qwen3-4B.
"""

import torch
from diffusers import ZImageTransformer2DModel
from transformers import Qwen3Config, Qwen3ForCausalLM

from real_parts import vae, write

with torch.device("meta"):
    text = Qwen3Config(vocab_size=151936, hidden_size=2560, intermediate_size=9728, num_hidden_layers=36,
                       num_attention_heads=32, num_key_value_heads=8, head_dim=128,
                       max_position_embeddings=40960, rope_theta=1000000.0, tie_word_embeddings=True)
    text.architectures = ["Qwen3ForCausalLM"]
    write("zimage-turbo", "ZImagePipeline",
          {"transformer": ZImageTransformer2DModel(), "vae": vae(0.3611, 0.1159),
           "text_encoder": Qwen3ForCausalLM(text)}, shift=3.0)
