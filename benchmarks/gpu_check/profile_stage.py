"""Stage: Nsight Compute on the slowest kernels: first where they stand against torch, then what
holds them up."""
import csv
import io
import shutil
import sys

LIMIT = 90
MOST = 8
METRICS = {
    "gpu__time_duration.sum": "ns",
    "sm__throughput.avg.pct_of_peak_sustained_elapsed": "sm %",
    "sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_active": "tensor %",
    "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed": "memory %",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed": "dram %",
    "lts__t_sector_hit_rate.pct": "L2 hits %",
    "l1tex__data_pipe_lsu_wavefronts_mem_shared.avg.pct_of_peak_sustained_elapsed": "shared %",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "occupancy %",
    "smsp__issue_active.avg.pct_of_peak_sustained_active": "issued %",
    "launch__registers_per_thread": "registers",
    "launch__occupancy_limit_registers": "blocks by registers",
    "launch__occupancy_limit_shared_mem": "blocks by shared memory",
}
STALLS = [f"smsp__average_warps_issue_stalled_{why}_per_issue_active.ratio" for why in (
    "barrier", "long_scoreboard", "short_scoreboard", "math_pipe_throttle", "mio_throttle", "wait",
    "lg_throttle", "no_instruction")]


def run(check):
    tool = shutil.which("ncu")
    if check.emulated or not tool:
        return
    timed = [line for line in check.record.of("times") if line.get("ms")]
    slowest = sorted(timed, key=lambda line: -line["ms"])[:MOST]
    names = [line["case"] for line in slowest] or ["gemm_nt_large", "attention_fwd_128"]
    check.each("profile", names, lambda name: one(check, tool, name), 1)


def one(check, tool, name):
    log = check.work / "ncu.csv"
    command = [tool, "--csv", "--log-file", log, "--force-overwrite", "--page", "raw", "--launch-count", "1", "--launch-skip", "1",
               "--clock-control", "none", "--metrics", ",".join([*METRICS, *STALLS]),
               sys.executable, check.home.python / "alone.py", check.driver, "full", name]
    outcome = check.child(command, check.limit(LIMIT))
    text = log.read_text() if log.exists() else ""
    rows = list(csv.reader(io.StringIO(text[text.find('"ID"'):])))
    if len(rows) < 3:
        check.record.add("profile", name, ok=False, why=outcome.why or "no counters",
                         output=outcome.output[-600:])
        return
    found = dict(zip(rows[0], rows[-1]))
    line = {short: found.get(long) for long, short in METRICS.items()}
    stalls = {s.split("stalled_")[1].split("_per_")[0]: found.get(s) for s in STALLS}
    check.record.add("profile", name, ok=True, kernel=found.get("Kernel Name"), stalls=stalls,
                     **line)
