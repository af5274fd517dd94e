"""Makes docs/kernels.md: what the compiled hot kernels look like, and what they do to memory.

    mvn -q package -DskipTests
    mvn -q dependency:build-classpath -Dmdep.outputFile=target/classpath.txt -DincludeScope=test
    LN_EMU_TRAFFIC=target/traffic.csv java -cp target/test-classes:target/classes:$(cat target/classpath.txt) \\
        org.loranative.graph.ops.TrafficRun
    peers/bin/python benchmarks/kernel_report.py

nvdisasm comes with Triton's package (PyPI). A kernel's main loop is the loop with the most HMMA.
"""
import collections
import csv
import pathlib
import re
import subprocess

import triton

import roofline

ROOT = pathlib.Path(__file__).parents[1]
CUBINS = ROOT / "target/classes/org/loranative/device/kernels"
NVDISASM = pathlib.Path(triton.__file__).parent / "backends/nvidia/bin/nvdisasm"
FILES = ["tensor_gemm", "block_gemm_nt", "block_gemm_nn", "tensor_conv", "head_gemm",
         "tiled_attention"]
ONE_OF_FORMATS = "block_gemm_nn", "_nf4_bf16"  # the loop of nt, but for ldmatrix
MEMORY_BOUND = ["dora", "delta", "optimizer", "schedule_free", "prodigy", "factored"]
ARCHITECTURES = ["sm_86"]  # mvn -Pcards makes it
HMMA_FLOPS = 2 * 16 * 8 * 16  # of a warp

INSTRUCTION = re.compile(r"/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z0-9_.]+)")


def kernels(cubin):
    """Instructions of each kernel: (opcode, label before it, branch target)."""
    text = subprocess.run([NVDISASM, "-c", cubin], capture_output=True, text=True, check=True).stdout
    current, label, result = None, None, {}
    for line in text.splitlines():
        if m := re.match(r"\.text\.(\w+):", line):
            current, label = result.setdefault(m[1], []), None
        elif m := re.match(r"(\.L_x_\d+):", line):
            label = m[1]
        elif current is not None and (m := INSTRUCTION.search(line)):
            target = re.search(r"BRA.*`\((\.L_x_\d+)\)", line)
            current.append((m[1], label, target[1] if target else None))
            label = None
    return result


def main_loop(code):
    """The opcodes of the innermost loop with the most HMMA."""
    places = {label: i for i, (_, label, _) in enumerate(code) if label}
    loops = [(places[t], i) for i, (_, _, t) in enumerate(code) if t in places and places[t] <= i]
    best = max(loops, key=lambda l: (hmma([c[0] for c in code[l[0]:l[1] + 1]]), l[0] - l[1]))
    return [c[0] for c in code[best[0]:best[1] + 1]]


def hmma(opcodes):
    return sum(op.startswith("HMMA") for op in opcodes)


def width(op):
    """Bits of a memory access: LDG.E.128 -> 128, LDG.E -> 32."""
    for part in op.split(".")[1:]:
        if part in ("128", "64"):
            return int(part)
        if part in ("U16", "S16"):
            return 16
        if part in ("U8", "S8"):
            return 8
    return 128 if op.startswith("LDGSTS") else 32


def accesses(opcodes, *kinds):
    counts = collections.Counter(width(op) for op in opcodes if op.split(".")[0] in kinds)
    return " ".join(f"{n}×{w}" for w, n in sorted(counts.items(), reverse=True)) or "–"


def compiled(lines):
    with open(ROOT / "target/kernels.csv") as f:
        facts = {(r["kernel"], r["architecture"]): r for r in csv.DictReader(f)}
    for arch in ARCHITECTURES:
        lines += ["", f"### {arch}", "",
                  "| kernel | HMMA in the loop | share | HMMA a barrier | cp.async | global loads | "
                  "ldmatrix | shared loads | shared stores | local | registers | shared KB | "
                  "occupancy |", "|---" + "|--:" * 12 + "|"]
        for file in FILES:
            for name, code in sorted(kernels(CUBINS / f"{file}.{arch}.cubin").items()):
                if not name.endswith("_bf16") or not hmma([c[0] for c in code]):
                    continue
                if name.startswith(ONE_OF_FORMATS[0]) and not name.endswith(ONE_OF_FORMATS[1]):
                    continue
                loop, every = main_loop(code), [c[0] for c in code]
                barriers = sum(op.startswith("BAR") for op in loop)
                local = sum(op.split(".")[0] in ("LDL", "STL") for op in every)
                fact = facts[name, arch]
                lines.append(
                    f"| {name[:-5]} | {hmma(loop)} of {len(loop)} | {hmma(loop) / len(loop):.0%} | "
                    f"{hmma(loop) / max(1, barriers):.0f} | {accesses(loop, 'LDGSTS')} | "
                    f"{accesses(loop, 'LDG')} | {sum(op.startswith('LDSM') for op in loop)} | "
                    f"{accesses(loop, 'LDS')} | {accesses(loop, 'STS')} | {local} | "
                    f"{fact['registers']} | {int(fact['shared_bytes']) / 1024:.0f} | "
                    f"{fact['occupancy_percent']} % |")


def traffic(lines):
    lines += ["", "| kernel | shared accesses | bank conflicts | sectors read / needed | "
              "sectors written / needed |", "|---|--:|--:|--:|--:|"]
    with open(ROOT / "target/traffic.csv") as f:
        for r in csv.DictReader(f):
            if r["kernel"].startswith(tuple(FILES)):
                read = int(r["read_sectors"]) / max(1, int(r["least_read_sectors"]))
                written = int(r["write_sectors"]) / max(1, int(r["least_write_sectors"]))
                lines.append(f"| {r['kernel'][:-5]} | {r['shared_accesses']} | "
                             f"{r['bank_conflicts']} | {read:.2f} | {written:.2f} |")


def defined_in(file):
    """Names of a file's kernels; those that have instances without their dtype."""
    text = (ROOT / f"cuda/{file}.cu").read_text()
    return re.findall(r"^LN_KERNEL\((\w+)\)", text, re.M) + [
        name + "_bf16" for name in re.findall(r"^LN_INSTANCES\(\([^)]*\),\s*(\w+)", text, re.M)]


def memory_bound(lines):
    """A line a kernel: what it takes of a multiprocessor, and what it asks memory for."""
    lines += ["", "| kernel | registers | occupancy | local | bank conflicts | sectors read / needed | "
              "sectors written / needed |", "|---" + "|--:" * 6 + "|"]
    with open(ROOT / "target/kernels.csv") as f:
        facts = {(r["kernel"], r["architecture"]): r for r in csv.DictReader(f)}
    with open(ROOT / "target/traffic.csv") as f:
        counted = {r["kernel"]: r for r in csv.DictReader(f)}
    for file in MEMORY_BOUND:
        code = kernels(CUBINS / f"{file}.{ARCHITECTURES[0]}.cubin")
        for name in sorted(defined_in(file)):
            fact, r = facts[name, ARCHITECTURES[0]], counted.get(name)
            local = sum(op.split(".")[0] in ("LDL", "STL") for op, _, _ in code[name])
            line = (f"| {name.removesuffix('_bf16')} | {fact['registers']} | "
                    f"{fact['occupancy_percent']} % | {local} | ")
            if r:
                read = int(r["read_sectors"]) / max(1, int(r["least_read_sectors"]))
                written = int(r["write_sectors"]) / max(1, int(r["least_write_sectors"]))
                lines.append(line + f"{r['bank_conflicts']} | {read:.2f} | {written:.2f} |")
            else:
                lines.append(line + "– | – | – |")  # TrafficRun does not launch it


def every(lines):
    """A line a kernel: on 8.6, or on 9.0 what only Hopper has."""
    lines += ["", "| kernel | registers | threads | shared KB | occupancy |", "|---" + "|--:" * 4 + "|"]
    with open(ROOT / "target/kernels.csv") as f:
        facts = {(r["kernel"], r["architecture"]): r for r in csv.DictReader(f)}
    for name in sorted({kernel for kernel, _ in facts}):
        if name.endswith(("_f32", "_f16")):
            continue  # every kernel with instances has one for bf16
        fact = facts.get((name, ARCHITECTURES[0])) or facts[name, "sm_90"]
        lines.append(f"| {name.removesuffix('_bf16')} | {fact['registers']} | {fact['threads']} | "
                     f"{int(fact['shared_bytes']) / 1024:.0f} | {fact['occupancy_percent']} % |")


def main():
    lines = ["# Kernels: what can be known without a card", "",
             "Made by `benchmarks/kernel_report.py`. What was timed on a card stands in [performance.md](performance.md): these are "
             "properties of the", "compiled code and of the addresses that it uses.", "",
             "## Compiled code (bf16)", "",
             "The main loop is the loop with the most HMMA (16 × 8 × 16; "
             f"{HMMA_FLOPS} FLOPs of a warp each); counts are of one pass through it.", 
             "Memory accesses are count × bits of a lane. `local` counts accesses to local memory in "
             "the whole kernel: spills.", "",
             "How to read the share: a GeForce of these architectures does 512 FLOPs a clock and "
             "multiprocessor, so one of its four", "schedulers is busy with an HMMA for 32 clocks and "
             "could issue 32 instructions meanwhile. A loop is bound by the tensor", "cores where "
             "HMMA are at least 1 in 32, 3 %; how far latencies can be hidden is another matter.",
             "Branches count although a pass takes one of them: the low-rank steps, edges, and in "
             "attention the soft cap's tanh."]
    compiled(lines)
    lines += ["", "8.9 runs the code of 8.6.", "", "A pass of block_gemm's loop is 64 deep, where tensor_gemm's is 32. Its nn is shown for NF4 alone.", "",
              "## Addresses", "",
              "Counted by the emulator (`LN_EMU_TRAFFIC`) from the addresses of each warp access; "
              "`TrafficTest` holds hot kernels", "to no bank conflict. A sector is 32 bytes. Blocks of "
              "quantized weights are read 2 or 4 bytes at a time, and each", "request is counted by "
              "itself: what one brings, the next find in L1. What attention and the head make is written",
              "in pieces of 16 bytes, half a sector (what a lane of mma holds), which L2 joins; so are sums of splits, in f32, "
              "by two", "requests. All other products' results are whole sectors."]
    traffic(lines)
    lines += ["", "## Adapters' weights and optimizers", "",
              f"Kernels of DoRA, LoHa, LoKr and the optimizers ({ARCHITECTURES[0]}; activations and weights in bf16). All are bound by",
              "memory. A request of 32 lanes for 16 bytes each is counted by itself. Where a lane takes 32 bytes in two",
              "requests, the second finds its half of the sector in L1: that counts as 2."]
    memory_bound(lines)
    lines += ["", "## Every kernel", "",
              f"Of those with instances, the one for bf16; on {ARCHITECTURES[0]}, and hopper_* on sm_90. Shared memory is what a launch",
              "asks for where that depends on the tile."]
    every(lines)
    lines += ["", "## Whole steps", "",
              "`benchmarks/roofline.py`: every op of a training plan, its FLOPs against a card's dense "
              "bf16 rate and its bytes", "against what of the memory's bandwidth its kernels can ask "
              "for, whichever takes longer, and 2.5 µs for each launch.", "A bound and not a "
              "measurement; memory is the planner's own figure for a 24 GB card."]
    lines += roofline.table()
    (ROOT / "docs/kernels.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
