"""The tables at the end: kernels and steps beside torch, and one verdict a stage."""


def show(record):
    kernels(record)
    steps(record)
    return verdicts(record)


def kernels(record):
    lines = {line["case"]: line.get("ops", {}) for line in record.of("kernels")}
    shapes = [case[len("ours "):] for case in lines if case.startswith("ours ")]
    if not shapes:
        return
    print(f"\n{'kernel':34} {'':22} {'ms':>9} {'TFLOP/s':>9} {'torch':>9} {'ratio':>6}")
    for shape in shapes:
        for op, ours in lines[f"ours {shape}"].items():
            torch = lines.get(f"torch {shape}", {}).get(op)
            beside = (f"{torch['tflops']:9.1f} {torch['ms'] / ours['ms']:6.2f}" if torch
                      else f"{'–':>9} {'':>6}")
            print(f"{shape:34} {op:22} {ours['ms']:9.4f} {ours['tflops']:9.1f} {beside}")


def steps(record):
    lines = {line["case"]: line for line in record.of("steps")}
    names = [case[len("ours "):] for case in lines if case.startswith("ours ")]
    if not names:
        return
    print(f"\n{'whole steps':20} {'per second':>11} {'torch':>9} {'ratio':>6} {'peak GB':>8} "
          f"{'planned':>12} {'torch GB':>9}")
    for name in names:
        ours, torch = lines[f"ours {name}"], lines.get(f"torch {name}", {})
        speed, other = ours.get("per_s", 0), torch.get("per_s", 0)
        print(f"{name:20} {speed:11.1f} {other:9.1f} {speed / other if other else 0:6.2f} "
              f"{ours.get('peak_mb', 0) / 1000:8.1f} {ours.get('planned', ''):>12} "
              f"{torch.get('reserved_gb', 0):9.1f}")


def verdicts(record):
    stages = list(dict.fromkeys(stage for stage, _ in [*record.lines, *record.unfinished]))
    print(f"\n{'stage':10} {'cases':>6} {'ok':>6} {'failed':>7}  verdict")
    all_ok = bool(stages)
    for stage in stages:
        lines = record.of(stage)
        failed = [line["case"] for line in lines if not line.get("ok")]
        all_ok &= not failed
        verdict = "ok" if not failed else "FAILED: " + ", ".join(failed[:6])
        if lines and all(line.get("skipped") for line in lines):
            verdict = f"skipped: {lines[0]['skipped']}"
        if len(failed) > 6:
            verdict += f" and {len(failed) - 6} more"
        unfinished = sum(s == stage for s, _ in record.unfinished)
        if unfinished:
            all_ok = False
            no_time = f"NO TIME for {unfinished} of its cases: call it again"
            verdict = f"{verdict}; {no_time}" if lines else no_time
        print(f"{stage:10} {len(lines):6} {len(lines) - len(failed):6} {len(failed):7}  {verdict}")
    return all_ok
