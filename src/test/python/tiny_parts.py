"""Tiny random text encoders, tokenizers and VAEs of pipelines, as DiffusersTest has them made."""

import pathlib

from diffusers import AutoencoderKL
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer, T5Config,
                          T5EncoderModel, T5TokenizerFast)

from diffusion_training import rounded

VOCABULARY = 300


def clip(tokenizer, hidden, act, kind=CLIPTextModelWithProjection):
    return rounded(kind(CLIPTextConfig(
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


def t5():
    return rounded(T5EncoderModel(T5Config(
        vocab_size=VOCABULARY, d_model=48, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu")))


def vae(scaling, shift):
    return rounded(AutoencoderKL(
        latent_channels=4, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        sample_size=64, use_quant_conv=False, use_post_quant_conv=False, scaling_factor=scaling,
        shift_factor=shift))


def clip_tokenizer():
    return CLIPTokenizer.from_pretrained("models/emoji-sd/tokenizer", model_max_length=77)
