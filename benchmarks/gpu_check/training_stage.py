"""Stage: training steps beside the CPU's losses; a run killed and resumed, and a run made twice, to
the bit."""
import models
import training

LIMIT = 240
# Name: model, options of it, compute dtype, most relative difference of a loss, settings.
TEXT = {"batch_size": 2, "max_length": 64, "learning_rate": 0.003}
IMAGES = {"batch_size": 2, "resolution": 64, "learning_rate": 0.003}
PARITY = {
    "llama f32": ("llama-toy", (), "f32", 1e-4, TEXT),
    "llama bf16": ("llama-toy", (), "bf16", 2e-2, TEXT),
    "llama nf4": ("llama-toy", (), "f32", 1e-4, TEXT | {"quantize": "nf4"}),
    "qwen3 bf16": ("qwen3-toy", (), "bf16", 2e-2, TEXT),
    "sd f32": ("sd-toy", (), "f32", 1e-4, IMAGES),
    "sd bf16": ("sd-toy", (), "bf16", 2e-2, IMAGES),
    "sdxl f32": ("sdxl-toy", (), "f32", 1e-4, IMAGES),
    "qwen3-0.6b, 2 layers, bf16": (
        "qwen3-0.6b", ("numbers", "layers=2"), "bf16", 2e-2,
        {"batch_size": 1, "max_length": 256, "max_steps": 3, "learning_rate": 0.001}),
    "qwen3-8b, 1 layer, nf4 bf16": (
        "qwen3-8b", ("numbers", "layers=1"), "bf16", 2e-2,
        {"batch_size": 1, "max_length": 128, "max_steps": 2, "quantize": "nf4",
         "learning_rate": 0.001}),
    "sd15 at 128, bf16": (
        "sd15", ("numbers",), "bf16", 2e-2,
        {"batch_size": 1, "resolution": 128, "max_steps": 2, "learning_rate": 0.001}),
}
TOY = "llama bf16", "sd f32"
REPEATED = {"llama": ("llama-toy", TEXT), "sd": ("sd-toy", IMAGES)}


def run(check):
    check.home.unpack()
    cases = {f"as on the CPU: {n}": (parity, n) for n in PARITY if not check.toy or n in TOY}
    for name in REPEATED if not check.toy else ("llama",):
        cases[f"twice: {name}"] = twice, name
        cases[f"killed and resumed: {name}"] = resumed, name
    check.each("training", cases, lambda case: cases[case][0](check, case, cases[case][1]),
               min(check.options.jobs, 4))


def settings_of(check, model, options, more):
    steps = {"max_steps": 3 if check.toy else 10, "lora_rank": 8}
    small = {"resolution": 32} if check.toy and "resolution" in more else {}
    return steps | models.settings(model, models.make(check, model, *options)) | more | small


def parity(check, case, name):
    model, options, compute, most, more = PARITY[name]
    settings = settings_of(check, model, options, more)
    place = name.replace(" ", "-").replace(",", "")
    ours = training.train(check, place, check.limit(LIMIT), settings, device="cuda-emu",
                          compute_dtype=compute)
    cpu = training.train(check, place + "-cpu", check.limit(LIMIT), settings, device="cpu",
                         compute_dtype="f32")
    line = {"seconds": round(ours.outcome.seconds, 1), "planned": ours.planned,
            "losses": ours.losses, "cpu": cpu.losses}
    if ours.why or cpu.why or not ours.losses or len(ours.losses) != len(cpu.losses):
        why = ours.why or (f"on the CPU: {cpu.why}" if cpu.why else "losses are missing")
        check.record.add("training", case, ok=False, why=why, output=ours.outcome.output[-800:],
                         **line)
        return
    worst = max(abs(a / b - 1) for a, b in zip(ours.losses, cpu.losses))
    check.record.add("training", case, ok=worst < most, worst=worst, **line)


def same(check, case, a, b):
    """Compares two runs' losses and adapters."""
    runs = [training.adapters(check, name) for name in (a[0], b[0])]
    why = a[1].why or b[1].why
    if not why and (not runs[0] or runs[0] != runs[1]):
        why = "the adapters differ" if runs[0] else "there is no adapter"
    if not why and a[1].losses != b[1].losses:
        why = "the losses differ"
    check.record.add("training", case, ok=not why, why=why, losses=a[1].losses,
                     others=b[1].losses, output=b[1].outcome.output[-500:] if why else "")


def twice(check, case, name):
    model, more = REPEATED[name]
    settings = settings_of(check, model, (), more) | {"device": "cuda-emu", "compute_dtype": "bf16"}
    runs = [(f"{name}-{i}", training.train(check, f"{name}-{i}", check.limit(LIMIT), settings))
            for i in (1, 2)]
    same(check, case, *runs)


def resumed(check, case, name):
    model, more = REPEATED[name]
    settings = settings_of(check, model, (), more) | {
        "device": "cuda-emu", "compute_dtype": "bf16", "save_steps": 2,
        "max_steps": 6 if check.toy else 60}
    whole = training.train(check, f"{name}-whole", check.limit(LIMIT), settings)
    place = f"{name}-resumed"
    folder = check.work / "runs" / place
    killed = training.train(check, place, check.limit(LIMIT), settings,
                            until=lambda: any(folder.glob("checkpoint-[24]")))
    went_on = training.train(check, place, check.limit(LIMIT), settings, fresh=False)
    if not killed.outcome.killed:
        check.record.add("training", case, ok=False, why="it ended before it was killed: "
                         + (killed.why or "too few steps"))
        return
    same(check, case, (f"{name}-whole", whole), (place, went_on))
