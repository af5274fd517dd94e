"""The table at the end: one verdict a stage."""


def show(record):
    stages = list(dict.fromkeys(stage for stage, _ in record.lines))
    print(f"\n{'stage':10} {'cases':>6} {'ok':>6} {'failed':>7}  verdict")
    all_ok = bool(stages)
    for stage in stages:
        lines = record.of(stage)
        failed = [line["case"] for line in lines if not line.get("ok")]
        all_ok &= not failed
        verdict = "ok" if not failed else "FAILED: " + ", ".join(failed[:6])
        if len(failed) > 6:
            verdict += f" and {len(failed) - 6} more"
        print(f"{stage:10} {len(lines):6} {len(lines) - len(failed):6} {len(failed):7}  {verdict}")
    return all_ok
