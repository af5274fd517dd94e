"""Stage: the times of products, convolutions and attention by shape, ours and torch's. One process
for many shapes, since only its start is slow; the shape at which it ends badly is named and a new
one goes on behind it."""
import json
import sys

import child

# As KernelTimes reads them: linear,TYPE,M,in,out; conv,images,side,in,out;
# attention,heads,kv_heads,head_dim,queries,batch,keys (keys 0: causal).
PRODUCTS = ((2048, 1024, 2048), (2048, 1024, 3072), (2048, 2048, 6144), (2048, 4096, 4096),
            (2048, 4096, 12288), (2048, 12288, 4096), (4096, 4096, 4096), (4096, 4096, 14336),
            (4096, 14336, 4096), (4096, 4096, 1024))
UNET = ((16384, 320, 320), (16384, 320, 2560), (4096, 1280, 1280), (4096, 640, 5120))
SHAPES = ["linear,BF16,%d,%d,%d" % p for p in PRODUCTS + UNET]
SHAPES += ["linear,NF4,%d,%d,%d" % p for p in PRODUCTS[3:]]
SHAPES += ["conv,4,64,320,320", "conv,4,32,640,640", "conv,4,16,1280,1280", "conv,1,128,320,320",
           "conv,1,64,640,640", "conv,1,32,1280,1280"]
SHAPES += ["attention,16,8,128,2048,1,0", "attention,32,8,128,2048,1,0",
           "attention,32,8,128,2048,2,0", "attention,32,8,128,8192,1,0",
           "attention,32,8,64,2048,2,0", "attention,8,8,40,4096,4,4096",
           "attention,8,8,40,4096,4,77", "attention,8,8,160,256,4,256",
           "attention,10,10,64,4096,1,4096", "attention,20,20,64,1024,1,1024"]
TOY = ["linear,BF16,128,64,64", "linear,NF4,128,64,64", "conv,1,8,32,32",
       "attention,2,2,64,96,1,0", "attention,2,2,40,64,2,77"]
LONG_ENOUGH = 50_000_000  # nanoseconds
LIMIT = 120


def run(check):
    check.home.unpack()
    shapes = TOY if check.toy else SHAPES
    times(check, "ours", shapes, lambda todo: check.java_command(
        "org.loranative.graph.ops.KernelTimes", 1 if check.toy else LONG_ENOUGH, *todo,
        flags=["-Xmx6g", "-XX:MaxDirectMemorySize=6g"]))
    lacks = check.lacks("torch")
    if lacks:
        check.skip("kernels", "torch", f"no times of torch: {lacks}")
        return
    if check.lacks("triton"):
        check.skip("kernels", "torch NF4", f"no times of torch in NF4: {check.lacks('triton')}")
        shapes = [s for s in shapes if "NF4" not in s]
    times(check, "torch", shapes, lambda todo: [
        sys.executable, check.home.python / "peers.py", "kernels", *todo])


def times(check, who, shapes, command):
    while True:
        todo = [s for s in shapes if check.wanted("kernels", f"{who} {s}")]
        limit = check.limit(LIMIT)
        if not todo or not limit:
            check.record.unfinished.update(("kernels", f"{who} {s}") for s in todo)
            return
        state = {"began": "", "ops": {}, "seen": 0}

        def read(text):
            line = json.loads(text)
            if "began" in line:
                state.update(began=line["began"], ops={})
            elif "ended" in line:
                state["seen"] += 1
                check.record.add("kernels", f"{who} {line['ended']}", ok=True, ops=state["ops"])
                state["began"] = ""
            elif "op" in line:
                state["ops"][line["op"]] = {"ms": round(line["ms"], 4),
                                            "tflops": round(line["tflops"], 1)}
        outcome = check.child(command(todo), limit, read)
        if outcome.ok:
            return
        if not state["began"] or outcome.why.startswith(child.STILL_RUNNING) and state["seen"]:
            if not state["seen"]:
                check.record.add("kernels", f"{who} {todo[0]}", ok=False, why=outcome.why,
                                 output=outcome.output[-800:])
            continue  # its time was over: what is left begins anew
        check.record.add("kernels", f"{who} {state['began']}", ok=False, why=outcome.why,
                         output=outcome.output[-800:])
