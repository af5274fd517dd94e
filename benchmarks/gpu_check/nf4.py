"""A frozen matrix in NF4 with doubly quantized scales: dequantized whole by a Triton kernel, then
multiplied by torch, as bitsandbytes does for many rows."""
import torch
import triton
import triton.language as tl

BYTES = 1024  # of a program


@triton.jit
def dequantize(q, index, factor, code, scale_code, y, n, offset, BYTES: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BYTES + tl.arange(0, BYTES)
    inside = i < n
    pair = tl.load(q + i, mask=inside, other=0).to(tl.int32)
    block = i // 32
    quantized = tl.load(index + block, mask=inside, other=0).to(tl.int32)
    scale = tl.load(scale_code + quantized) * tl.load(factor + block // 256, mask=inside) + offset
    high, low = tl.load(code + (pair >> 4)) * scale, tl.load(code + (pair & 15)) * scale
    j = tl.program_id(0).to(tl.int64) * 2 * BYTES + tl.arange(0, 2 * BYTES)
    tl.store(y + j, tl.interleave(high, low).to(tl.bfloat16), mask=j < 2 * n)


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, matrix):
        ctx.matrix = matrix
        return x @ matrix.plain().T

    @staticmethod
    def backward(ctx, dy):
        return dy @ ctx.matrix.plain(), None


class Nf4Matrix(torch.nn.Module):
    """Random blocks: what the numbers are does not matter to the time."""

    def __init__(self, rows, columns, device):
        super().__init__()
        self.shape, n = (rows, columns), rows * columns
        self.q = torch.randint(0, 256, (n // 2,), dtype=torch.uint8, device=device)
        self.index = torch.randint(0, 256, (n // 64,), dtype=torch.uint8, device=device)
        self.factor = torch.rand(n // 16384 + 1, device=device)
        self.code = torch.linspace(-1, 1, 16, device=device)
        self.scale_code = torch.rand(256, device=device) * .02

    def plain(self):
        y = torch.empty(self.shape, dtype=torch.bfloat16, device=self.q.device)
        grid = (triton.cdiv(self.q.numel(), BYTES),)
        dequantize[grid](self.q, self.index, self.factor, self.code, self.scale_code, y,
                         self.q.numel(), .001, BYTES=BYTES)
        return y

    def forward(self, x):
        return Product.apply(x, self)
