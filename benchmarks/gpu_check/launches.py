"""How each kernel of the smoke test is launched: name, grid, arguments. What changes with a
kernel's header comes out of launches.json (src/test/native/gpucheck/launches.cpp); what changes
with its launcher in src/main/native/cuda/ops stands here and nowhere else."""
import ctypes as C
import json

I64, F32, I32 = C.c_int64, C.c_float, C.c_int32
MAP_ALIGNMENT = 64
HOPPER_TILES = "broad", "square"  # kernels that only compute capability 9.0 has


class Launches:
    def __init__(self, card, table):
        self.card = card
        table = json.loads(table.read_text())
        self.nf4, self.tiles, self.heads = table["nf4"], table["tiles"], table["heads"]
        self.hopper_heads = table["hopper_heads"]
        self.rows, self.groups = table["rows"], table["groups"]
        self.mapped = table["structs"].pop("mapped_gemm")
        self.mapped_conv = table["structs"].pop("mapped_conv")
        self.mapped_attention = table["structs"].pop("mapped_attention")
        self.structs = {name: structure(layout) for name, layout in table["structs"].items()}

    def arguments(self, name, **values):
        s = self.structs[name]()
        for field, value in values.items():
            setattr(s, field, value)
        return s

    def gemm(self, form, tile, g, blocks=None):
        """form: "nt", "nn" or "tn", blocks: B's format, as in the kernels' names."""
        t = self.tiles[("block_" if blocks else "") + tile]
        grid = over(g.N, t["columns"]), over(g.M, t["rows"])
        family = "block" if blocks else "hopper" if tile in HOPPER_TILES else "tensor"
        name = f"{family}_gemm_{form}_{tile}_{blocks + '_' if blocks else ''}bf16"
        if family == "hopper":
            g = self.with_maps(g, t, form[1] == "t")
        return lambda: self.card.launch(name, grid, t["threads"], t["shared"], g)

    def head_gemm(self, name, g, h):
        """name: "head_gemm" or "hopper_head_gemm"."""
        t = self.tiles[name]
        grid = over(g.N, t["columns"]), over(g.M, t["rows"])
        if name.startswith("hopper"):
            g = self.with_maps(g, t, True)
        return lambda: self.card.launch(name + "_bf16", grid, t["threads"], t["shared"], g, h)

    def head_loss(self, rows, addresses, V, pitch, group_columns, softcap):
        return lambda: self.card.launch("head_loss_bf16", (rows,), 512, 512 // 32 * 8, *addresses,
                                        I64(0), I64(V), I64(pitch), I32(group_columns), F32(softcap))

    def gated(self, way, tile, g, u):
        """way: "fwd" or "bwd"; tile: "large" or one of Hopper's."""
        t = self.tiles[tile]
        grid = over(g.N, t["columns"]), over(g.M, t["rows"])
        name = f"gated_gemm_{way}_bf16"
        if tile in HOPPER_TILES:
            name, g = f"hopper_gated_{way}_{tile}_bf16", self.with_maps(g, t, way == "fwd")
        return lambda: self.card.launch(name, grid, t["threads"], t["shared"], g, u)

    def with_maps(self, g, tile, b_transposed):
        """g with tensor maps of its operands, as map_operands() of cuda/ops/gemm.cpp makes them."""
        mapped, start = with_room(self.mapped["bytes"])
        C.memmove(start + self.mapped["g"], C.addressof(g), C.sizeof(g))

        def put(name, address, rows, columns, stride, box_rows):
            self.card.map_matrix(start + self.mapped[name], address, rows, columns, stride, box_rows)

        def put_b(name, address, depth, stride):
            if b_transposed:
                put(name, address, g.N, depth, stride, tile["columns"])
            else:
                put(name, address, depth, g.N, stride, tile["depth"])
        put("a", g.a, g.M, g.K, g.a_stride, tile["rows"])
        put_b("b", g.b, g.K, g.b_stride)
        if g.R:
            put("low_a", g.low_a, g.M, g.R, g.low_a_stride, tile["rows"])
            put_b("low_b", g.low_b, g.R, g.low_b_stride)
        return mapped

    def conv(self, direction, tile, g, c):
        """direction: "fwd" or "bwd"; the product g is what the launcher makes of c."""
        t = self.tiles[tile]
        grid = over(g.N, t["columns"]), over(g.M, t["rows"])
        family = "hopper" if tile in HOPPER_TILES else "tensor"
        name = f"{family}_conv_{direction}_{tile}_bf16"
        return lambda: self.card.launch(name, grid, t["threads"], t["shared"], g, c)

    def conv_by_maps(self, direction, tile, g, c):
        """The same by tensor maps, as map_operands() of cuda/ops/conv2d.cpp makes them; stride 1."""
        t, layout = self.tiles[tile], self.mapped_conv
        back = direction == "bwd"
        mapped, start = with_room(layout["bytes"])
        C.memmove(start + layout["g"], C.addressof(g), C.sizeof(g))
        values = {"width": c.W, "height": c.H, "kernel": c.kernel, "stride": 1,
                  "pad": c.kernel - 1 - c.pad if back else c.pad, "channels": c.O if back else c.I}
        for name, value in values.items():
            I32.from_address(start + layout["fields"][name][0]).value = value
        self.card.map_patches(start + layout["patches"], g.a, (c.B, c.H, c.W, values["channels"]),
                              values["pad"], t["rows"])
        self.card.map_heads(start + layout["w"], g.b, c.O, c.kernel ** 2, c.I,
                            t["depth"] if back else t["columns"])
        name = f"hopper_mapped_conv_{direction}_{tile}_bf16"
        grid = over(g.N, t["columns"]), over(g.M, t["rows"])
        return lambda: self.card.launch(name, grid, t["threads"], t["shared"], mapped)

    def panel(self, p, to):
        t = self.tiles["panel"]
        grid = (over(p.rows * p.columns // t["columns"], t["threads"]),)
        return lambda: self.card.launch("dequantize_panel_nf4_bf16", grid, t["threads"], t["shared"],
                                        p, to)

    def dora_norm(self, w0, a, b, norm, g):
        t = self.tiles["dora_norm"]
        return lambda: self.card.launch("dora_norm_bf16", (g.out,), t["threads"], t["shared"], w0, a,
                                        b, norm, g)

    def hadamard(self, p1, p2, d, n, scale):
        return lambda: self.card.launch("hadamard_bf16", (over(over(n, 8), 256),), 256, 0, p1, p2, d,
                                        I64(n), F32(scale))

    def kronecker(self, w1, w2, d, k):
        n = k.out_l * k.out_k * k.taps * k.in_m * k.in_n
        return lambda: self.card.launch("kronecker_bf16", (over(n, 128),), 128, 0, w1, w2, d, k)

    def kronecker_first(self, dd, w2, dw1, k):
        t = self.tiles["kronecker"]
        return lambda: self.card.launch("kronecker_first", (k.out_l * k.in_m,), t["threads"],
                                        t["shared"], dd, w2, dw1, k)

    def attention(self, what, head, a, addresses):
        """what: "fwd", "dq" or "dkv"."""
        t = self.heads[str(head)]
        grid = {"fwd": (over(a.M, t["fwd_rows"]), a.heads), "dq": (over(a.M, t["bwd_rows"]), a.heads),
                "dkv": (over(a.keys, t["bwd_rows"]), a.kv_heads, t["key_walks"])}[what]
        name = f"tiled_attention_{what}_{head}_bf16"
        return lambda: self.card.launch(name, grid, t["threads"], t[what], *addresses, a)

    def hopper_attention(self, what, head, a, addresses):
        """The same by tensor maps, as map_operands() of cuda/ops/attention.cpp makes them."""
        t = self.hopper_heads[str(head)]
        grid = {"fwd": (over(a.M, t["rows"]), a.heads), "dq": (over(a.M, t["rows"]), a.heads),
                "dkv": (over(a.keys, t["rows"]), a.kv_heads, t["key_walks"])}[what]
        walk = t["fwd_walk" if what == "fwd" else "bwd_walk"]
        query_rows, key_rows = (walk, t["rows"]) if what == "dkv" else (t["rows"], walk)
        mapped, start = with_room(self.mapped_attention["bytes"])
        C.memmove(start + self.mapped_attention["a"], C.addressof(a), C.sizeof(a))
        operands = ("q", "k", "v") if what == "fwd" else ("dout", "q", "k", "v")
        for name, address in zip(operands, addresses):
            of_keys = name in "kv"
            self.card.map_heads(start + self.mapped_attention[name], address,
                                a.keys if of_keys else a.M, a.kv_heads if of_keys else a.heads, a.D,
                                key_rows if of_keys else query_rows)
        rest = addresses[len(operands):]
        name = f"hopper_attention_{what}_{head}_bf16"
        return lambda: self.card.launch(name, grid, t["threads"], t[what], mapped, *rest)

    def rms_norm(self, x, residual, w, y, total, rstd, rows, columns, eps):
        t = self.rows[str(columns)]
        return lambda: self.card.launch(
            "rms_norm_fwd_bf16", (over(rows, t["rows"]),), t["threads"], t["shared"], x, residual,
            w, y, total, rstd, I64(0), I32(1), I64(rows), I64(columns), F32(eps), I32(t["warps"]))

    def group_norm(self, x, w, bias, y, stats, images, pixels, channels, groups, eps):
        """Two kernels: sums of each block's pixels, then what they give."""
        t = self.groups[f"{pixels}x{channels}"]
        g = self.arguments("group", N=pixels, C=channels, groups=groups, pixels=t["pixels"],
                           splits=t["splits"], eps=eps, silu=1)
        sums = self.card.empty(images * groups * t["splits"] * t["of_group"])
        grid = t["splits"], images

        def run():
            self.card.launch("group_moments_bf16", grid, t["threads"], t["sums"], x, sums, g)
            self.card.launch("group_norm_fwd_bf16", grid, t["threads"], groups * t["of_group"], x,
                             w, bias, sums, y, stats, g)
        return run


def with_room(size):
    """Bytes for arguments with tensor maps, aligned as these must be, and their address."""
    room = C.create_string_buffer(size + MAP_ALIGNMENT)
    start = -(-C.addressof(room) // MAP_ALIGNMENT) * MAP_ALIGNMENT
    mapped = (C.c_ubyte * size).from_address(start)
    mapped.room = room
    return mapped, start


def over(n, tile):
    return -(-n // tile)


def divisor(d):
    """Divisor of conv.h: n / d as a multiplication."""
    shift = (d - 1).bit_length()
    return (C.c_uint32 * 3)(d, ((1 << 32) * ((1 << shift) - d)) // d + 1, shift)


def structure(layout):
    """A ctypes class of a C++ struct's layout; gaps are filled."""
    types = {"D": C.c_uint32 * 3, "Q": C.c_uint64, "i": C.c_int32, "f": C.c_float, "d": C.c_double}
    fields, at = [], 0
    for name, (offset, letter) in sorted(layout["fields"].items(), key=lambda f: f[1][0]):
        if offset > at:
            fields.append((f"gap{at}", C.c_ubyte * (offset - at)))
        fields.append((name, types[letter]))
        at = offset + C.sizeof(types[letter])
    if layout["bytes"] > at:
        fields.append((f"gap{at}", C.c_ubyte * (layout["bytes"] - at)))
    return type("Arguments", (C.Structure,), {"_pack_": 1, "_fields_": fields})
