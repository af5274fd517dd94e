"""A tiny random Stable Diffusion 3.5 with tokenizers, as diffusers saves it, for DiffusersTest.

    python src/test/python/make_sd3_base.py OUT
"""

import pathlib
import sys

import torch
from diffusers import (AutoencoderKL, FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel,
                       StableDiffusion3Pipeline)
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer, T5Config,
                          T5EncoderModel, T5TokenizerFast)

from diffusion_training import rounded

VOCABULARY = 300


def clip(tokenizer, hidden, act):
    return rounded(CLIPTextModelWithProjection(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=2 * hidden,
        num_hidden_layers=3, num_attention_heads=4, hidden_act=act, projection_dim=hidden,
        max_position_embeddings=77, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)))


def t5_tokenizer():
    pieces = Tokenizer(models.Unigram())
    pieces.normalizer = normalizers.NFKC()
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces.decoder = decoders.Metaspace()
    pieces.train_from_iterator(
        pathlib.Path("README.md").read_text().split("\n"),
        trainers.UnigramTrainer(vocab_size=VOCABULARY, unk_token="<unk>",
                                special_tokens=["<pad>", "</s>", "<unk>"]))
    pieces.post_processor = processors.TemplateProcessing(single="$A </s>",
                                                          special_tokens=[("</s>", 1)])
    return T5TokenizerFast(tokenizer_object=pieces, pad_token="<pad>", eos_token="</s>",
                           unk_token="<unk>", extra_ids=0)


torch.manual_seed(3)
tokenizer = CLIPTokenizer.from_pretrained("models/emoji-sd/tokenizer", model_max_length=77)
StableDiffusion3Pipeline(
    transformer=rounded(SD3Transformer2DModel(
        sample_size=32, in_channels=4, out_channels=4, num_layers=3, attention_head_dim=16,
        num_attention_heads=4, joint_attention_dim=48, caption_projection_dim=64,
        pooled_projection_dim=44, pos_embed_max_size=24, qk_norm="rms_norm",
        dual_attention_layers=(0, 1))),
    scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0),
    vae=rounded(AutoencoderKL(
        latent_channels=4, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        sample_size=64, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=1.5305,
        shift_factor=0.0609)),
    text_encoder=clip(tokenizer, 24, "quick_gelu"), tokenizer=tokenizer,
    text_encoder_2=clip(tokenizer, 20, "gelu"), tokenizer_2=tokenizer,
    text_encoder_3=rounded(T5EncoderModel(T5Config(
        vocab_size=VOCABULARY, d_model=48, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu"))),
    tokenizer_3=t5_tokenizer()).save_pretrained(sys.argv[1])
