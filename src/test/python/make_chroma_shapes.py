"""Config of the real Chroma, and the names and shapes of its tensors.

    python src/test/python/make_chroma_shapes.py src/test/resources/shapes

As make_sd3_shapes.py, from the numbers that are diffusers' defaults.
"""

import torch
from diffusers import ChromaTransformer2DModel

from real_parts import t5, vae, write

with torch.device("meta"):
    write("chroma", "ChromaPipeline",
          {"transformer": ChromaTransformer2DModel(), "vae": vae(0.3611, 0.1159), "text_encoder": t5()},
          shift=1.0)
