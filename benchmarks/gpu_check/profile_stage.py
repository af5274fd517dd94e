"""Stage: Nsight Compute on the slowest kernels: first where they stand against torch, then what
holds them up."""
import csv
import io
import shutil
import sys

LIMIT = 90
MOST = 8
SECTIONS = ("SpeedOfLight", "ComputeWorkloadAnalysis", "MemoryWorkloadAnalysis", "Occupancy",
            "LaunchStats", "WarpStateStats", "SchedulerStats")
METRICS = {  # of those that the sections collect, as far as this card has them
    "gpu__time_duration.sum": "time",
    "sm__throughput.avg.pct_of_peak_sustained_elapsed": "sm %",
    "sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_active": "tensor %",
    "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed": "memory %",
    "gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed": "dram %",
    "l1tex__throughput.avg.pct_of_peak_sustained_active": "L1 %",
    "lts__throughput.avg.pct_of_peak_sustained_elapsed": "L2 %",
    "lts__t_sector_hit_rate.pct": "L2 hits %",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "occupancy %",
    "smsp__issue_active.avg.pct_of_peak_sustained_active": "issued %",
    "launch__registers_per_thread": "registers",
    "launch__waves_per_multiprocessor": "waves",
    "launch__occupancy_limit_registers": "blocks by registers",
    "launch__occupancy_limit_shared_mem": "blocks by shared memory",
}
STALL = "smsp__average_warps_issue_stalled_"
LEAST_STALL = 0.1  # warps that wait, for each instruction issued


def run(check):
    tool = shutil.which("ncu")
    why = check.lacks() or ("" if tool else "ncu is not installed")
    if why:
        check.skip("profile", "counters", f"no counters: {why}")
        return
    timed = [line for line in check.record.of("times") if line.get("ms")]
    slowest = sorted(timed, key=lambda line: -line["ms"])[:MOST]
    names = [line["case"] for line in slowest] or ["gemm_nt_large", "attention_fwd_128"]
    check.each("profile", names, lambda name: one(check, tool, name), 1)


def one(check, tool, name):
    log = check.work / "ncu.csv"
    log.unlink(missing_ok=True)
    sections = [word for s in SECTIONS for word in ("--section", s)]
    command = [tool, "--csv", "--log-file", log, "--force-overwrite", "--page", "raw",
               "--launch-count", "1", "--launch-skip", "1", "--clock-control", "none", *sections,
               sys.executable, check.home.python / "alone.py", check.driver, "full", name]
    outcome = check.child(command, check.limit(LIMIT))
    text = log.read_text() if log.exists() else ""
    rows = list(csv.reader(io.StringIO(text[text.find('"ID"'):])))
    if len(rows) < 3:
        check.record.add("profile", name, ok=False, why=outcome.why or "no counters",
                         output=(text + outcome.output)[-800:])
        return
    found = dict(zip(rows[0], rows[-1]))
    units = dict(zip(rows[0], rows[1]))
    line = {short: found[long] for long, short in METRICS.items() if long in found}
    line["time"] = f"{line.get('time')} {units.get('gpu__time_duration.sum', '')}"
    stalls = {}
    for metric, value in found.items():
        if metric.startswith(STALL) and metric.endswith("_per_issue_active.ratio"):
            try:
                waiting = float(value.replace(",", ""))
            except ValueError:
                continue  # not to be had on this card
            if waiting >= LEAST_STALL:
                stalls[metric[len(STALL):-len("_per_issue_active.ratio")]] = round(waiting, 2)
    check.record.add("profile", name, ok=True, kernel=found.get("Kernel Name"),
                     stalls=dict(sorted(stalls.items(), key=lambda s: -s[1])), **line)
