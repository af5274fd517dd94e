"""Models of random numbers, made by RandomModel when they are first asked for."""
import shutil
import threading

LIMIT = 180
making = threading.Lock()


def make(check, name, *options):
    """A folder of that model with data to train on; raises what went wrong."""
    folder = check.work / "-".join([name, *(o.replace("=", "") for o in options)])
    with making:
        if (folder / "made").exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = check.java_command("org.loranative.gpucheck.RandomModel", name, folder, *options,
                                     flags=["-XX:MaxDirectMemorySize=4g"])
        outcome = check.child(command, check.limit(LIMIT) or 1)
        if not outcome.ok:
            raise RuntimeError(f"{name} cannot be written: {outcome.why}")
        (folder / "made").touch()
        return folder


def is_diffusion(name):
    return name.startswith("sd")


def settings(name, folder):
    """Of a run on such a folder."""
    if is_diffusion(name):
        return {"task_type": "sd", "base_model": folder, "metadata_path": folder / "images",
                "cache_encodings": "false"}
    return {"base_model": folder, "metadata_path": folder / "data.jsonl", "data_format": "text"}


def remove(check, name, *options):
    """Gives back what may be many gigabytes."""
    shutil.rmtree(check.work / "-".join([name, *options]), ignore_errors=True)
