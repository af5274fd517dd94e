"""Stage: the tests of ops and models, a class (or a method of a long one) a process. The tests of a
class that fail are run again, each alone and waiting for every op: a fault on the card makes all
that comes after it in its process fail too."""
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LIMIT, ALONE_LIMIT = 240, 60
MOST_ALONE, MOST_ALONE_OF_TOYS, SIDE_BY_SIDE = 24, 8, 4
OPS, MODEL = "org.loranative.graph.ops.", "org.loranative.model."
CASES = [OPS + c for c in (
    "OpTest#f32", "OpTest#bf16", "OpTest#f16", "CudaEmulatorLossAndOptimizerTest",
    "LinearCrossEntropyTest", "TensorGemmTest", "BlockGemmTest", "BlockNormTest", "TensorConvTest",
    "TiledAttentionTest", "GroupAttentionTest", "AdamW8bitTest")]
CASES += [MODEL + c for c in ("llm.GoldenTest", "llm.Nf4Test")]
CASES += ["org.loranative.optim.OptimizerGoldenTest"]
IN_CHECKOUT = [MODEL + "diffusion.families.stable.DiffusionGoldenTest"]  # reads more than the archive holds
TOY = [OPS + "CudaEmulatorLossAndOptimizerTest"]
# The whole models that GoldenTest runs on a card, and that the archive holds: each for what no
# other's graph has. Files, names and rotations, which the host reads and makes, are no card's concern.
MODELS = {
    "llama": "the common shape", "qwen2": "biases of q, k and v", "qwen3": "norms of each head",
    "olmo2": "norms of all heads together", "gemma2": "capped scores and logits, GELU, four norms",
    "gemma4": "heads of two widths, shared keys, embeddings of each layer",
    "gemma4-moe": "a mixture beside the MLP", "phi3": "q, k and v in one matrix",
    "phi3-long": "a table of rotations for long documents", "glm4": "neighbours turned",
    "qwen3-moe-mixed": "some layers with experts, weighed as the router says",
    "glm4-moe": "experts by sigmoids and a bias", "gpt-oss": "sinks, experts in 4 bits with biases",
    "gpt-oss-experts": "adapters of such experts", "qwen3-5": "recurrent layers",
    "qwen3-next-turns": "their projections grouped, four heads to a key, an expert for all tokens"}


def run(check):
    check.home.unpack()
    cases = TOY if check.toy else CASES + (IN_CHECKOUT if checkout(check) else [])
    names = {c.rsplit(".", 1)[1]: c for c in cases}
    check.each("tests", names, lambda name: one(check, name, names[name]), check.options.jobs)


def checkout(check):
    """A checkout's root, where the check is run in one."""
    for folder in (check.home.root, Path.cwd()):
        if (folder / "src/test/resources/golden/sd15").exists():
            return folder
    return None


def tests_of(check, what, limit, *flags):
    """The tests' lines, the one that was running when the process ended, and how it ended."""
    lines, running = [], [""]

    def read(text):
        line = json.loads(text)
        if "began" in line:
            running[0] = line["began"]
        else:
            running[0] = ""
            lines.append(line)
    models = "-Dtests.models=" + ",".join(MODELS)
    command = check.java_command("org.loranative.gpucheck.DeviceTests", what,
                                 flags=[models, *flags])
    return lines, running, check.child(command, limit, read, cwd=checkout(check))


def one(check, name, what):
    lines, running, outcome = tests_of(check, what, check.limit(LIMIT))
    failing = [line for line in lines if not line["ok"]]
    result = {"ok": outcome.ok and bool(lines) and not failing, "seconds": round(outcome.seconds, 1),
              "run": len(lines), "passed": len(lines) - len(failing)}
    if not outcome.ok and not failing or running[0]:
        result["why"] = (f"in {running[0]}: " if running[0] else "") + outcome.why
        result["output"] = outcome.output[-800:]
    if failing:
        result["failed"] = [name_of(line) for line in failing]
        result["why"] = failing[0].get("why", "")[:600]
    check.record.add("tests", name, **result)
    if result["ok"]:
        for line in check.record.of("tests"):  # of an earlier call
            if line["case"].startswith(f"{name} ") and not line["ok"]:
                check.record.add("tests", line["case"], ok=True, why="passes with its class")
    with ThreadPoolExecutor(min(SIDE_BY_SIDE, check.options.jobs)) as pool:
        most = MOST_ALONE_OF_TOYS if check.toy else MOST_ALONE
        list(pool.map(lambda line: alone(check, name, line), failing[:most]))


def name_of(line):
    """A test's method, and which of its cases."""
    method = re.search(r"\[(?:method|test-template|test-factory):([^(\]]+)", line["id"])
    shown = line["test"].removesuffix("()")
    return shown if not method or shown.startswith(method[1]) else f"{method[1]} {shown}"


def alone(check, name, line):
    """One failing test in a process of its own, op by op."""
    case, limit = f"{name} {name_of(line)}, alone", check.limit(ALONE_LIMIT)
    if not limit:
        return
    lines, _, outcome = tests_of(check, line["id"], limit,
                                 "-Dloranative.sync=true")
    ok = outcome.ok and bool(lines) and all(x["ok"] for x in lines)
    why = next((x.get("why", "") for x in lines if not x["ok"]), outcome.why)
    check.record.add("tests", case, ok=ok, seconds=round(outcome.seconds, 1), why=why[:600],
                     first=line.get("why", "")[:300])
