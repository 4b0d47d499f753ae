"""Stable Diffusions of some thousand random weights, made from configs, as folders that diffusers loads."""

import json

import torch
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 32
TOKENS = 16


def tokenizer(folder):
    """Byte by byte, without merges."""
    folder.mkdir()
    letters = [chr(number) for number in range(ord("!"), ord("~") + 1)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    made = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=TOKENS)
    return made, len(words)


def text_encoder(kind, words):
    config = CLIPTextConfig(
        vocab_size=words, hidden_size=WIDTH, intermediate_size=2 * WIDTH, projection_dim=WIDTH, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=TOKENS, bos_token_id=words - 2, eos_token_id=words - 1, pad_token_id=words - 1,
    )
    return kind(config)


def denoiser(**more):
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(32, 64), layers_per_block=1, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8, **more,
    )


def autoencoder():
    return AutoencoderKL(
        block_out_channels=(16, 32), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4, norm_num_groups=8,
    )


def scheduler():
    return DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1)


def write_stable_diffusion(folder):
    torch.manual_seed(0)
    folder.mkdir()
    words, count = tokenizer(folder / "made")
    StableDiffusionPipeline(
        vae=autoencoder(), text_encoder=text_encoder(CLIPTextModel, count), tokenizer=words, unet=denoiser(cross_attention_dim=WIDTH),
        scheduler=scheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder / "base")
    return folder / "base"


def write_stable_diffusion_xl(folder):
    torch.manual_seed(0)
    folder.mkdir()
    words, count = tokenizer(folder / "made")
    unet = denoiser(
        cross_attention_dim=2 * WIDTH, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=WIDTH + 6 * 8, transformer_layers_per_block=1,
    )
    StableDiffusionXLPipeline(
        vae=autoencoder(), text_encoder=text_encoder(CLIPTextModel, count), text_encoder_2=text_encoder(CLIPTextModelWithProjection, count),
        tokenizer=words, tokenizer_2=words, unet=unet, scheduler=scheduler(),
    ).save_pretrained(folder / "base")
    return folder / "base"
