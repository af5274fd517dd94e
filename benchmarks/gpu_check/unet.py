"""The UNets of SD 1.5 and XL in torch, by their shapes alone: what diffusers would run, NHWC,
attention by SDPA. Linear projections around the transformers, as both have them here."""
import torch
from torch import nn
from torch.nn import functional as F

# Channels, transformer blocks and heads of each level, the text's width, the latent's side.
SHAPES = {"sd15": ((320, 640, 1280, 1280), (1, 1, 1, 0), (8, 8, 8, 8), 768, 64),
          "sdxl": ((320, 640, 1280), (0, 2, 10), (5, 10, 20), 2048, 128),
          "sd-toy": ((32, 64), (1, 1), (2, 2), 32, 8)}
RESNETS = 2


class Resnet(nn.Module):
    def __init__(self, width, out, time):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(32, width), nn.GroupNorm(32, out)
        self.conv1, self.conv2 = nn.Conv2d(width, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
        self.time = nn.Linear(time, out)
        self.shortcut = nn.Conv2d(width, out, 1) if width != out else nn.Identity()

    def forward(self, x, t):
        y = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(t))[:, :, None, None]
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(y)))


class Attention(nn.Module):
    def __init__(self, width, source, heads):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k, self.to_v = (nn.Linear(source, width, bias=False) for _ in range(2))
        self.to_out = nn.Linear(width, width)

    def forward(self, x, source):
        q, k, v = (y.unflatten(2, (self.heads, -1)).transpose(1, 2)
                   for y in (self.to_q(x), self.to_k(source), self.to_v(source)))
        return self.to_out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width, context, heads):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1, self.attn2 = Attention(width, width, heads), Attention(width, context, heads)
        self.ff_in, self.ff_out = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)

    def forward(self, x, text):
        y = self.norm1(x)
        x = x + self.attn1(y, y)
        x = x + self.attn2(self.norm2(x), text)
        y, gate = self.ff_in(self.norm3(x)).chunk(2, 2)
        return x + self.ff_out(y * F.gelu(gate))


class Transformer(nn.Module):
    def __init__(self, width, context, heads, count):
        super().__init__()
        self.norm = nn.GroupNorm(32, width)
        self.proj_in, self.proj_out = nn.Linear(width, width), nn.Linear(width, width)
        self.blocks = nn.ModuleList(Block(width, context, heads) for _ in range(count))

    def forward(self, x, text):
        y = self.proj_in(self.norm(x).permute(0, 2, 3, 1).flatten(1, 2))
        for block in self.blocks:
            y = block(y, text)
        y = self.proj_out(y).unflatten(1, x.shape[2:])
        return x + y.permute(0, 3, 1, 2)


class Unet(nn.Module):
    def __init__(self, channels, blocks, heads, context):
        super().__init__()
        self.context, time, last = context, 4 * channels[0], len(channels) - 1

        def attention(level):
            return Transformer(channels[level], context, heads[level], blocks[level])

        self.conv_in = nn.Conv2d(4, channels[0], 3, padding=1)
        self.time = nn.Sequential(nn.Linear(channels[0], time), nn.SiLU(), nn.Linear(time, time))
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        skips, now = [channels[0]], channels[0]
        for i, width in enumerate(channels):
            for _ in range(RESNETS):
                self.down.append(nn.ModuleList([Resnet(now, width, time)]
                                               + ([attention(i)] if blocks[i] else [])))
                now = width
                skips.append(now)
            if i < last:
                self.down.append(nn.ModuleList([nn.Conv2d(now, now, 3, stride=2, padding=1)]))
                skips.append(now)
        self.middle = nn.ModuleList([
            Resnet(now, now, time), Transformer(now, context, heads[last], max(1, blocks[last])),
            Resnet(now, now, time)])
        for i in reversed(range(last + 1)):
            for j in range(RESNETS + 1):
                parts = [Resnet(now + skips.pop(), channels[i], time)]
                now = channels[i]
                parts += [attention(i)] if blocks[i] else []
                parts += [nn.Conv2d(now, now, 3, padding=1)] if i and j == RESNETS else []
                self.up.append(nn.ModuleList(parts))
        self.norm_out = nn.GroupNorm(32, now)
        self.conv_out = nn.Conv2d(now, 4, 3, padding=1)

    def forward(self, x, text):
        t = self.time(torch.ones(len(x), self.conv_in.out_channels, dtype=x.dtype, device=x.device))
        x = self.conv_in(x.to(memory_format=torch.channels_last))
        skips = [x]
        for parts in self.down:
            x = apply(parts, x, t, text)
            skips.append(x)
        x = apply(self.middle, x, t, text)
        for parts in self.up:
            x = apply(parts, torch.cat((x, skips.pop()), 1), t, text)
        return self.conv_out(F.silu(self.norm_out(x)))


def apply(parts, x, t, text):
    for part in parts:
        if isinstance(part, Resnet):
            x = part(x, t)
        elif isinstance(part, Transformer):
            x = part(x, text)
        else:
            x = part(F.interpolate(x, scale_factor=2.0) if part.stride == (1, 1) else x)
    return x


def build(name, device):
    channels, blocks, heads, context, side = SHAPES[name]
    with torch.device(device):
        torch.set_default_dtype(torch.bfloat16)
        model = Unet(channels, blocks, heads, context).to(memory_format=torch.channels_last)
        torch.set_default_dtype(torch.float32)
    return model, side
