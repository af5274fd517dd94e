"""Each hot kernel alone on a card, against numpy in f64: no Java, no torch.

`small` cases are checked whole, on ragged shapes; `full` ones have a real model's size, are checked
in part and timed."""
import numpy as np

from launches import HOPPER_TILES, Launches, divisor

# Most relative errors.
GEMM_16, GEMM_F32, ATTENTION, NORM, F32_SUMS = 4e-3, 1e-5, 1e-2, 4e-3, 1e-5
RANK, SCALE, EPS = 16, .5, 1e-5
HEADS = 64, 96, 128, 160, 256
HOPPER_HEADS = 64, 96, 128, 256


def bf16(x):
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def wide(b):
    return (b.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def error(actual, expected):
    return float(np.linalg.norm(actual - expected) / np.linalg.norm(expected))


class Case:
    """What a case gives: the relative error of its results, the most it may be, and the call to
    time, with its floating point operations or bytes."""

    def __init__(self, worst, most, run, flop=0, bytes=0):
        self.worst, self.most, self.run, self.flop, self.bytes = worst, most, run, flop, bytes


def shape(tile, full, nf4):
    if full:
        m, n, k = 4096, 4096, 4096
    elif nf4:
        m, n, k = 152, 128, 192
    else:
        m, n, k = (152, 72, 136) if tile not in ("tall", "wide") else (72, 24, 200)
    if tile == "tall":
        n = 16
    if tile == "wide":
        m, n = 16, 4096 if full else 136
    return m, n, k


def gemm(on, form, tile, full, low=False, accumulate=False, bias=False, f32=False, nf4=False):
    r = np.random.default_rng(1)
    card = on.card
    m, n, k = shape(tile, full, nf4)
    ta, tb = form[0] == "t", form[1] == "t"
    a = bf16(r.normal(size=(k, m) if ta else (m, k)))
    b = bf16(r.normal(size=(n, k) if tb else (k, n)) * .1)
    g = on.arguments("gemm", a=card.put(a), a_stride=a.shape[1], c_stride=n, M=m, N=n, K=k,
                     R=RANK if low else 0, scale=SCALE, accumulate=accumulate, c_is_f32=f32)
    if nf4:
        blocks, values = nf4_blocks(r, b.shape)
        g.b = card.put(blocks)
    else:
        values = wide(b)
        g.b, g.b_stride = card.put(b), b.shape[1]
    A, B = wide(a).T if ta else wide(a), values.T if tb else values
    if low:
        la = bf16(r.normal(size=(m, RANK)))
        lb = bf16(r.normal(size=(n, RANK) if tb else (RANK, n)))
        g.low_a, g.low_a_stride = card.put(la), RANK
        g.low_b, g.low_b_stride = card.put(lb), lb.shape[1]
    c0 = r.normal(size=(m, n)).astype(np.float32)
    c0 = c0 if f32 else bf16(c0)
    g.c = card.put(c0) if accumulate else card.empty(c0.nbytes)
    biases = r.normal(size=n).astype(np.float32)
    if bias:
        g.bias = card.put(biases)
    run = on.gemm(form, tile, g, "nf4" if nf4 else None)
    run()
    out = card.get(g.c, (m, n), c0.dtype)
    out = out.astype(np.float64) if f32 else wide(out)
    some = np.arange(0, m, 37) if full else np.arange(m)
    y = A[some] @ B
    if low:
        y += wide(la)[some] @ (wide(lb).T if tb else wide(lb))
    y *= SCALE
    if bias:
        y += biases
    if accumulate:
        y += (c0.astype(np.float64) if f32 else wide(c0))[some]
    flop = 2 * m * n * (k + (RANK if low else 0))
    return Case(error(out[some], y), GEMM_F32 if f32 else GEMM_16, run, flop=flop)


def gated(on, way, tile, full):
    """A product with a gated linear unit (SiLU) in its epilogue."""
    r = np.random.default_rng(9)
    card = on.card
    m, n, k = (4096, 14336, 4096) if full else (152, 72, 136)
    back = way == "bwd"
    a, la = bf16(r.normal(size=(m, k))), bf16(r.normal(size=(m, RANK)))
    b = bf16(r.normal(size=(k, n) if back else (n, k)) * .1)
    lb = bf16(r.normal(size=(RANK, n) if back else (n, RANK)))
    gate, up = bf16(r.normal(size=(m, n))), bf16(r.normal(size=(m, n)))
    g = on.arguments("gemm", a=card.put(a), a_stride=k, b=card.put(b), b_stride=b.shape[1], M=m, N=n,
                     K=k, R=RANK, low_a=card.put(la), low_a_stride=RANK, low_b=card.put(lb),
                     low_b_stride=lb.shape[1], c=card.empty(m * n * 2), c_stride=n, scale=SCALE)
    u = on.arguments("gated", gate=card.put(gate), up=card.put(up) if back else 0,
                     y=card.empty(m * n * 2), act=0)
    run = on.gated(way, tile, g, u)
    run()
    some = np.arange(0, m, 37) if full else np.arange(m)
    B, LB = (wide(b), wide(lb)) if back else (wide(b).T, wide(lb).T)
    c = SCALE * (wide(a)[some] @ B + wide(la)[some] @ LB)
    x, by = wide(gate)[some], wide(up)[some]
    s = 1 / (1 + np.exp(-x))
    expected = (c * x * s, c * by * s * (1 + x * (1 - s))) if back else (c, c * x * s)
    worst = max(error(wide(card.get(at, (m, n), np.uint16))[some], e)
                for at, e in zip((g.c, u.y), expected))
    return Case(worst, GEMM_16, run, flop=2 * m * n * (k + RANK))


def nf4_blocks(r, dims, rounded=True):
    """A matrix as Nf4 lays it out: tables, nibbles, scales in 8 bits and theirs; and its numbers, in
    bf16 where they are rounded."""
    n = dims[0] * dims[1]
    pad = -n % 16384
    code = np.sort(r.normal(size=16)).astype(np.float32)
    scale_code = r.random(256).astype(np.float32)
    offset = np.float32(.1)
    q = r.integers(0, 16, n).astype(np.uint8)
    index = r.integers(0, 256, n // 64).astype(np.uint8)
    factor = r.random((n + pad) // 16384).astype(np.float32)
    head = np.concatenate([code, scale_code, [offset]]).astype(np.float32).tobytes() + b"\0" * 4
    head += np.int64(n).tobytes()
    body = (q[0::2] << 4 | q[1::2]).tobytes() + index.tobytes() + b"\0" * (-len(index) % 4)
    scale = scale_code[index] * factor[np.arange(n // 64) // 256] + offset
    values = code[q] * np.repeat(scale, 64)
    values = (wide(bf16(values)) if rounded else values.astype(np.float64)).reshape(dims)
    return np.frombuffer(head + body + factor.tobytes(), np.uint8), values


def dequantize(on, full):
    """A part of a matrix in NF4, from a row and a column on."""
    r = np.random.default_rng(6)
    rows, columns, row0, column0 = (4096, 4096, 0, 0) if full else (24, 64, 8, 128)
    dims = (rows + row0, columns + column0)
    blocks, values = nf4_blocks(r, dims)
    p = on.arguments("panel", count=dims[0] * dims[1], all_columns=dims[1], row0=row0, column0=column0,
                     rows=rows, columns=columns)
    p.__setattr__("from", on.card.put(blocks))
    to = on.card.empty(rows * columns * 2)
    run = on.panel(p, to)
    run()
    out = wide(on.card.get(to, (rows, columns), np.uint16))
    return Case(error(out, values[row0:, column0:]), GEMM_16, run,
                bytes=rows * columns * 2.5 + rows * columns / 64)


HEAD_CAP = 30


def head(on, full):
    """Shape of a head, its labels (every row has one) and what they are read by."""
    r = np.random.default_rng(10)
    m, v, k = (1024, 65536, 1024) if full else (137, 301, 72)
    return r, m, v, k, -(-v // 8) * 8, r.integers(0, v, m).astype(np.int32)


def head_gemm(on, name, full):
    """The softmax begun: each group's largest logit and sum, the label's logit, and exp(z - most)
    times the soft cap's slope."""
    card = on.card
    r, m, v, k, pitch, labels = head(on, full)
    columns = on.groups[name]["columns"]
    groups = -(-v // columns)
    a, b = bf16(r.normal(size=(m, k))), bf16(r.normal(size=(v, k)) * 20 * k ** -.5)
    g = on.arguments("gemm", a=card.put(a), b=card.put(b), c=card.empty(m * pitch * 2), a_stride=k,
                     b_stride=k, c_stride=pitch, M=m, N=v, K=k, scale=1)
    h = on.arguments("head", groups=card.empty(m * groups * 8), at_label=card.empty(m * 4),
                     labels=card.put(labels), rows=card.put(np.arange(m, dtype=np.int32)),
                     group_pitch=groups, softcap=HEAD_CAP)
    run = on.head_gemm(name, g, h)
    run()
    some = np.arange(0, m, 37) if full else np.arange(m)
    z = HEAD_CAP * np.tanh(wide(a)[some] @ wide(b).T / HEAD_CAP)
    slope = 1 - (z / HEAD_CAP) ** 2
    padded = np.full((len(some), groups * columns), -np.inf)
    padded[:, :v] = z
    by_group = padded.reshape(len(some), groups, columns)
    most = by_group.max(2)
    total = np.exp(by_group - most[:, :, None]).sum(2)
    stored = wide(card.get(g.c, (m, pitch), np.uint16))[some, :v]
    expected = np.exp(z - np.repeat(most, columns, 1)[:, :v]) * slope
    sums = card.get(h.groups, (m, groups, 2), np.float32)[some]
    at_label = card.get(h.at_label, (m,), np.float32)[some]
    exact = max(error(sums[:, :, 0], most), error(sums[:, :, 1], total),
                error(at_label, z[np.arange(len(some)), labels[some]]))
    worst = max(error(stored, expected), exact * GEMM_16 / GEMM_F32)
    return Case(worst, GEMM_16, run, flop=2 * m * v * k)


def head_loss(on, full):
    """The softmax ended and the gradient made, of numbers as head_gemm leaves them."""
    card = on.card
    r, m, v, _, pitch, labels = head(on, full)
    columns = on.groups["head_gemm"]["columns"]
    groups = -(-v // columns)
    numbers = bf16(r.random((m, pitch)))
    sums = np.stack([r.normal(size=(m, groups)) * 3, 1 + r.random((m, groups))], 2)
    sums = sums.astype(np.float32)
    at_label = sums[:, :, 0].max(1) - r.random(m).astype(np.float32)
    step = np.zeros(10, np.uint32)  # ln_step
    step[7:9] = np.array([.25, 8], np.float32).view(np.uint32)
    to = card.put(numbers)
    losses, hits = card.empty(m * 4), card.empty(m * 4)
    addresses = (to, card.put(sums), card.put(at_label), card.put(labels),
                 card.put(np.arange(m, dtype=np.int32)), card.put(np.array([m], np.int32)),
                 card.put(step), losses, hits)
    run = on.head_loss(m, addresses, v, pitch, columns, HEAD_CAP)
    run()
    some = np.arange(0, m, 37) if full else np.arange(m)
    most, top = sums[some, :, 0].astype(np.float64), sums[some, :, 0].max(1, keepdims=True)
    total = (sums[some, :, 1] * np.exp(most - top)).sum(1, keepdims=True)
    p = wide(numbers[some])[:, :v] * np.repeat(np.exp(most - top) / total, columns, 1)[:, :v]
    z = at_label[some, None].astype(np.float64)
    of_label = (np.exp(z - top) / total - 1) * (1 - (z / HEAD_CAP) ** 2)
    np.put_along_axis(p, labels[some, None].astype(np.int64), of_label, 1)
    out = wide(card.get(to, (m, pitch), np.uint16))[some]
    lost = error(card.get(losses, (m, 1), np.float32)[some], np.log(total) + top - z)
    worst = max(error(out[:, :v], 2 * p), abs(out[:, v:]).max(initial=0), lost * GEMM_16 / GEMM_F32)
    return Case(worst, GEMM_16, run, bytes=m * pitch * 4 + m * groups * 8)


def conv(on, direction, tile, full, mapped=False):
    """3 x 3, as wide as it was; backward is the same sum over mirrored taps."""
    r = np.random.default_rng(5)
    card = on.card
    b, h, w, i, o = (1, 64, 64, 640, 640) if full else (2, 9, 7, 16, 40)
    if mapped and not full:
        i, o = 64, 128
    if tile == "tall":
        o = 16
    back = direction == "bwd"
    source, depth, out = (o if back else i), 9 * (o if back else i), (i if back else o)
    x = bf16(r.normal(size=(b, h, w, source)))
    weights = bf16(r.normal(size=(o, 3, 3, i)) * .1)
    bias = r.normal(size=out).astype(np.float32)
    g = on.arguments("gemm", a=card.put(x), b=card.put(weights), c=card.empty(b * h * w * out * 2),
                     c_stride=out, M=b * h * w, N=out, K=depth, scale=1)
    if not back:
        g.bias = card.put(bias)
    sizes = {"B": b, "H": h, "W": w, "I": i, "OH": h, "OW": w, "O": o, "kernel": 3, "stride": 1}
    c = on.arguments("conv", pad=1, **sizes)
    for name, n in sizes.items():
        if name != "B":
            setattr(c, f"by_{name}", divisor(n))
    run = (on.conv_by_maps if mapped else on.conv)(direction, tile, g, c)
    run()
    padded = np.pad(wide(x), ((0, 0), (1, 1), (1, 1), (0, 0)))
    y = np.zeros((b, h, w, out)) if back else np.zeros((b, h, w, out)) + bias
    for ky in range(3):
        for kx in range(3):
            tap = wide(weights[:, 2 - ky, 2 - kx]) if back else wide(weights[:, ky, kx]).T
            y += padded[:, ky:ky + h, kx:kx + w] @ tap
    return Case(error(wide(card.get(g.c, y.shape, np.uint16)), y), GEMM_16, run,
                flop=2 * b * h * w * depth * out)


def attention(on, what, head, full, hopper=False):
    """Causal, in two documents, grouped heads; a backward case is given the forward's lse."""
    attend = on.hopper_attention if hopper else on.attention
    r = np.random.default_rng(2)
    card = on.card
    heads, kv, documents = (32, 8, [2048, 2048]) if full else (2, 1, [50, 90])
    m, d = sum(documents), head if full else head - 8
    start = np.repeat(np.cumsum([0] + documents[:-1]), documents).astype(np.int32)
    q, k, v, dout = (bf16(r.normal(size=(m, h, d))) for h in (heads, kv, kv, heads))
    a = on.arguments("attention", M=m, keys=m, heads=heads, kv_heads=kv, D=d, scale=d ** -.5)
    Q, K, V, O, DO, S = (card.put(x) for x in (q, k, v, np.zeros_like(q), dout, start))
    checked = (0, heads - 1) if full else range(heads)
    rows = np.arange(documents[0]) if full else np.arange(m)
    o, lse, grads = expected_attention(a, rows, start, checked, *map(wide, (q, k, v, dout)))
    if full and what != "fwd":  # what a backward kernel reads, of all heads
        LSE = card.empty(heads * m * 4)
        attend("fwd", head, a, (Q, K, V, S, O, LSE))()
        o_all = wide(card.get(O, (m, heads, d), np.uint16))
    else:
        LSE, o_all = card.put(lse), o
    delta = card.put((wide(dout) * o_all).sum(2).T.astype(np.float32))
    outs = {n: card.empty(m * h * d * 2)
            for n, h in (("o", heads), ("dq", heads), ("dk", kv), ("dv", kv))}
    addresses = {"fwd": (Q, K, V, S, outs["o"], LSE),
                 "dq": (DO, Q, K, V, LSE, delta, S, outs["dq"]),
                 "dkv": (DO, Q, K, V, LSE, delta, S, outs["dk"], outs["dv"])}[what]
    run = attend(what, head, a, addresses)
    run()
    worst = 0.0
    for n in {"fwd": ("o",), "dq": ("dq",), "dkv": ("dk", "dv")}[what]:
        h = kv if n in ("dk", "dv") else heads
        out = wide(card.get(outs[n], (m, h, d), np.uint16))
        if not np.isfinite(out).all():
            worst = float("inf")
        elif not full:
            worst = max(worst, error(out, o if n == "o" else grads[n]))
        elif h == heads:  # dk and dv sum over a group's heads, which is more than is checked
            picked = np.ix_(rows, checked)
            worst = max(worst, error(out[picked], (o if n == "o" else grads[n])[picked]))
    pairs = sum(x * (x + 1) // 2 for x in documents) * heads * d
    return Case(worst, ATTENTION, run, flop={"fwd": 4, "dq": 6, "dkv": 8}[what] * pairs)


def expected_attention(a, rows, start, checked, q, k, v, dout):
    m, heads, kv, d = q.shape[0], q.shape[1], k.shape[1], q.shape[2]
    o, lse = np.zeros((m, heads, d)), np.zeros((heads, m), np.float32)
    grads = {"dq": np.zeros((m, heads, d)), "dk": np.zeros((m, kv, d)),
             "dv": np.zeros((m, kv, d))}
    sees = (rows[None] <= rows[:, None]) & (rows[None] >= start[rows][:, None])
    for h in checked:
        g = h // (heads // kv)
        s = np.where(sees, q[rows, h] @ k[rows, g].T * a.scale, -np.inf)
        lse[h, rows] = np.log(np.exp(s - s.max(1, keepdims=True)).sum(1)) + s.max(1)
        p = np.exp(s - lse[h, rows][:, None].astype(np.float64))
        o[rows, h] = p @ v[rows, g]
        dp = dout[rows, h] @ v[rows, g].T
        ds = p * (dp - (dout[rows, h] * o[rows, h]).sum(1)[:, None]) * a.scale
        grads["dq"][rows, h] = ds @ k[rows, g]
        grads["dk"][rows, g] += ds.T @ q[rows, h]
        grads["dv"][rows, g] += p.T @ dout[rows, h]
    return o, lse, grads


def rms_norm(on, full):
    r = np.random.default_rng(3)
    card = on.card
    m, c = (4096, 4096) if full else (9, 200)
    x, z = bf16(r.normal(size=(m, c))), bf16(r.normal(size=(m, c)))
    w = r.normal(size=c).astype(np.float32)
    y = card.empty(m * c * 2)
    run = on.rms_norm(card.put(x), card.put(z), card.put(w), y, card.empty(m * c * 2),
                      card.empty(m * 4), m, c, EPS)
    run()
    s = wide(bf16(wide(x) + wide(z)))
    expected = s / np.sqrt((s * s).mean(1, keepdims=True) + EPS) * w
    return Case(error(wide(card.get(y, (m, c), np.uint16)), expected), NORM, run,
                bytes=4 * m * c * 2)


def group_norm(on, full):
    r = np.random.default_rng(4)
    card = on.card
    b, n, c, groups = (1, 16384, 320, 32) if full else (2, 30, 40, 4)
    x = bf16(r.normal(size=(b, n, c)) + 1)
    w, bias = (r.normal(size=c).astype(np.float32) for _ in range(2))
    y = card.empty(b * n * c * 2)
    run = on.group_norm(card.put(x), card.put(w), card.put(bias), y, card.empty(b * groups * 8), b,
                        n, c, groups, EPS)
    run()
    v = wide(x).reshape(b, n, groups, c // groups)
    z = (v - v.mean((1, 3), keepdims=True)) / np.sqrt(v.var((1, 3), keepdims=True) + EPS)
    z = z.reshape(b, n, c) * w + bias
    return Case(error(wide(card.get(y, (b, n, c), np.uint16)), z / (1 + np.exp(-z))), NORM, run,
                bytes=2 * b * n * c * 2)


def dora_norm(on, full, nf4=False):
    r = np.random.default_rng(7)
    card = on.card
    out, n = (4096, 4096) if full else (24, 192) if nf4 else (9, 200)
    if nf4:
        blocks, w0 = nf4_blocks(r, (out, n), rounded=False)
    else:
        blocks = bf16(r.normal(size=(out, n)))
        w0 = wide(blocks)
    a = (r.normal(size=(RANK, n)) * .1).astype(np.float32)
    b = r.normal(size=(out, RANK)).astype(np.float32)
    g = on.arguments("dora_norm", out=out, rank=RANK, scale=SCALE, format=on.nf4 if nf4 else 0)
    g.__setattr__("in", n)
    norm = card.empty(out * 4)
    run = on.dora_norm(card.put(blocks), card.put(a), card.put(b), norm, g)
    run()
    expected = np.linalg.norm(w0 + SCALE * b.astype(np.float64) @ a, axis=1)
    return Case(error(card.get(norm, (out,), np.float32), expected), F32_SUMS, run,
                bytes=out * n * (.5 if nf4 else 2))


def hadamard(on, full):
    r = np.random.default_rng(8)
    card = on.card
    n = 4096 * 4096 if full else 1003
    p1, p2 = (r.normal(size=n).astype(np.float32) for _ in range(2))
    d = card.empty(n * 2)
    run = on.hadamard(card.put(p1), card.put(p2), d, n, SCALE)
    run()
    return Case(error(wide(card.get(d, (n,), np.uint16)), SCALE * p1 * p2.astype(np.float64)), NORM,
                run, bytes=n * 10)


def kronecker(on, full, first=False):
    """The weight, or the first matrix's gradient out of the weight's, added to what is there."""
    r = np.random.default_rng(9)
    card = on.card
    sizes = (8, 512, 8, 512) if full else (3, 7, 5, 9)
    ol, ok, im, i_n = sizes
    k = on.arguments("kronecker", out_l=ol, out_k=ok, in_m=im, in_n=i_n, taps=1, scale=SCALE)
    w1 = r.normal(size=(ol, im)).astype(np.float32)
    w2 = r.normal(size=(ok, i_n)).astype(np.float32)
    if first:
        dd = r.normal(size=(ol, ok, im, i_n)).astype(np.float32)
        to = card.put(w1)
        run = on.kronecker_first(card.put(dd), card.put(w2), to, k)
        run()
        expected = w1 + SCALE * np.einsum("akbn,kn->ab", dd.astype(np.float64), w2)
        return Case(error(card.get(to, w1.shape, np.float32), expected), F32_SUMS, run,
                    bytes=dd.nbytes)
    n = ol * ok * im * i_n
    to = card.empty(n * 2)
    run = on.kronecker(card.put(w1), card.put(w2), to, k)
    run()
    expected = SCALE * np.kron(w1.astype(np.float64), w2)
    return Case(error(wide(card.get(to, expected.shape, np.uint16)), expected), NORM, run, bytes=n * 2)


def cases():
    found = {"rms_norm": rms_norm, "group_norm": group_norm, "dequantize_panel": dequantize,
             "dora_norm": dora_norm, "dora_norm_nf4": lambda on, full: dora_norm(on, full, nf4=True),
             "head_gemm": lambda on, full: head_gemm(on, "head_gemm", full),
             "hopper_head_gemm": lambda on, full: head_gemm(on, "hopper_head_gemm", full),
             "head_loss": head_loss, "hadamard": hadamard, "kronecker": kronecker,
             "kronecker_first": lambda on, full: kronecker(on, full, first=True)}
    for form in ("nt", "nn", "tn"):
        for tile in ("small", "tall", "wide") if form == "tn" else \
                ("small", "large", "tall", *HOPPER_TILES):
            name = f"gemm_{form}_{tile}"
            found[name] = lambda on, full, f=form, t=tile: gemm(on, f, t, full, f32=f == "tn")
            if form == "tn":
                continue
            found[name + "_low_bias_add"] = \
                lambda on, full, f=form, t=tile: gemm(on, f, t, full, True, True, True)
            if tile in ("small", "large"):
                found[name + "_nf4_low"] = \
                    lambda on, full, f=form, t=tile: gemm(on, f, t, full, low=True, nf4=True)
    for way in ("fwd", "bwd"):
        for tile in ("large", *HOPPER_TILES):
            found[f"gated_{way}_{tile}"] = lambda on, full, w=way, t=tile: gated(on, w, t, full)
    for direction in ("fwd", "bwd"):
        for tile in ("small", "large", *HOPPER_TILES, *(["tall"] if direction == "fwd" else [])):
            found[f"conv_{direction}_{tile}"] = \
                lambda on, full, d=direction, t=tile: conv(on, d, t, full)
            if tile in HOPPER_TILES:
                found[f"mapped_conv_{direction}_{tile}"] = \
                    lambda on, full, d=direction, t=tile: conv(on, d, t, full, mapped=True)
    for head in HEADS:
        for what in ("fwd", "dq", "dkv"):
            found[f"attention_{what}_{head}"] = \
                lambda on, full, w=what, h=head: attention(on, w, h, full)
            if head in HOPPER_HEADS:
                found[f"hopper_attention_{what}_{head}"] = \
                    lambda on, full, w=what, h=head: attention(on, w, h, full, hopper=True)
    return found


def run(card, table, name, full):
    """One case's line."""
    if any(word in name for word in ("hopper", *HOPPER_TILES)) and card.capability != "90":
        return {"ok": True, "skipped": "a kernel for compute capability 9.0"}
    case = cases()[name](Launches(card, table), full)
    line = {"ok": bool(case.worst < case.most), "error": case.worst}
    if full:
        ms = card.milliseconds(case.run)
        line["ms"] = ms
        if case.flop:
            line["tflops"] = case.flop / ms / 1e9
        if case.bytes:
            line["gb_per_s"] = case.bytes / ms / 1e6
    return line
