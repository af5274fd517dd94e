"""Makes target/gpu-check.tar.gz: all that gpu_check needs on a bare machine with a card.

    python3 benchmarks/gpu_check/pack.py [--arch sm_90]... [--jdk FOLDER] [--built]

Plain tar and gzip; what is large lies in it as java.tar.xz and classes.tar.xz, which python3
unpacks itself when a stage first needs Java. --jdk must be a JDK that runs anywhere, as Temurin's
does; a distribution's own wants that distribution's libraries. --built: target/ is up to date."""
import argparse
import fnmatch
import glob
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import tests_stage

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "target"
NVRTC = TARGET / "nvrtc/org/bytedeco/cuda/linux-x86_64"
MOST_BYTES = 40 << 20  # what a machine with a card may be sent
MODULES = "java.base,java.desktop,java.management,java.naming,jdk.unsupported"
# What nothing here calls, though modules that we need hold it.
UNUSED_CLASSES = {
    "java.base": [
        "sun/security/ssl", "sun/security/tools", "com/sun/crypto/provider", "sun/security/ec",
        "sun/security/provider/certpath", "sun/launcher/resources", "jdk/internal/icu/impl/data",
        "sun/security/util/resources", "sun/security/util/math"],
    "java.management": [
        "javax/management/modelmbean", "javax/management/relation", "javax/management/monitor",
        "javax/management/timer", "com/sun/jmx/remote"],
    "java.naming": ["com/sun/jndi/ldap"],
    "java.desktop": [
        "javax/swing", "com/sun/java/swing", "com/sun/swing", "sun/swing", "sun/awt/X11",
        "com/sun/media", "javax/sound", "javax/print", "sun/print", "sun/font",
        "com/sun/imageio/plugins/tiff", "javax/imageio/plugins/tiff", "sun/java2d/opengl",
        "sun/java2d/xr", "sun/java2d/marlin", "java/awt/doc-files"],
    "java.xml": [
        "com/sun/org/apache/xalan", "com/sun/org/apache/bcel", "com/sun/org/apache/xpath",
        "com/sun/org/apache/xml/internal/dtm", "com/sun/org/apache/xml/internal/serializer",
        "com/sun/org/apache/xml/internal/serialize", "com/sun/org/apache/xerces/internal/impl/xs",
        "com/sun/org/apache/xerces/internal/impl/dv/xs",
        "com/sun/org/apache/xerces/internal/impl/xpath",
        "com/sun/org/apache/xerces/internal/jaxp/validation",
        "jdk/xml/internal/jdkcatalog"]}
UNUSED_FILES = ["fontmanager", "freetype", "awt_xawt", "splashscreen", "jsound"]
# Of the jar: other platforms' libraries, and what the check does not use.
UNUSED_ENTRIES = [
    "META-INF/resources/*", "META-INF/maven/*", "board/*", "clip/*", "demo/*", "nlp/*", "*.proto",
    "org/bytedeco/dnnl/*/libdnnl*", "org/loranative/device/kernels/*", "*Windows*", "*Mac/*",
    "*FreeBSD*", "*/native/AIX/*", "*/native/SunOS/*", "org/jline/nativ/Linux/[!x]*",
    "*/native/Linux/[!x]*", "*-musl/*", "aix/*", "darwin/*", "freebsd/*", "win/*", "linux/[!a]*",
    "linux/aarch64/*", "linux/arm/*", "linux/amd64/libzstd*",
    "org/locationtech/*", "org/apache/parquet/*", "shaded/parquet/*", "org/xerial/*",
    "org/apache/hadoop/*", "org/apache/commons/compress/*", "org/apache/commons/codec/language/*",
    "com/google/protobuf/compiler/*", "org/bytedeco/javacpp/tools/Generator*",
    "org/bytedeco/javacpp/tools/Parser*"]
FILTERS = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 9}]
TEST_LIBRARIES = ["org.junit.jupiter", "org.junit.platform", "org.opentest4j", "org.assertj"]
RESOURCES = [
    "src/test/resources/tokenizers", "src/test/resources/logback-test.xml",
    "src/test/resources/philox.txt", "src/test/resources/golden/*.json",
    "src/test/resources/golden/adamw8bit.safetensors", "src/test/resources/golden/blocks.safetensors",
    "src/test/resources/golden/mask.safetensors",
    "models/*.yaml", "models/emoji-sd/tokenizer", "models/emoji-sd/scheduler"]
# Expected values of whole models, of which tests_stage says why; NF4's and optimizers' beside them.
RESOURCES += [f"src/test/resources/golden/{name}/{part}"
              for name in [*tests_stage.MODELS, "nf4", "optimizers"]
              for part in ("adapter", "base", "packed", "*.safetensors")]


def sh(*command, **options):
    subprocess.run([str(c) for c in command], check=True, cwd=ROOT, **options)


def build():
    sh("mvn", "-q", "package", "-DskipTests", "-DskipKernels")
    if not (NVRTC / "libnvrtc.so.12").exists():
        sh("mvn", "-q", "dependency:unpack@unpack-nvrtc")


def kernels(folder, architectures):
    """Cubins; unchanged kernels are not compiled again."""
    built = TARGET / "gpu-check-kernels"
    built.mkdir(exist_ok=True)
    sources = sorted((ROOT / "cuda").glob("*.cu")) + [
        ROOT / "src/test/native/emulator/conformance.cu"]
    headers = b"".join(h.read_bytes() for h in sorted((ROOT / "cuda/include").rglob("*"))
                       if h.is_file())

    def key(source):
        return hashlib.sha256(headers + source.read_bytes()).hexdigest()

    def is_made(source):
        return all((built / f"{source.stem}.{a}.cubin").exists()
                   and (built / f"{source.stem}.{a}.key").exists()
                   and (built / f"{source.stem}.{a}.key").read_text() == key(source)
                   for a in architectures)
    todo = [s for s in sources if not is_made(s)]
    with tempfile.TemporaryDirectory() as place:
        # kernelc looks for include/ beside a file.
        os.symlink(ROOT / "cuda/include", Path(place, "include"))
        copies = [shutil.copy(s, place) for s in todo]
        if todo:
            sh(TARGET / "native/kernelc", NVRTC / "libnvrtc.so.12", built, built / "kernels.csv",
               ",".join(a.removeprefix("sm_") for a in architectures), *copies,
               env={**os.environ, "LD_LIBRARY_PATH": str(NVRTC)})
    for source in todo:
        for a in architectures:
            (built / f"{source.stem}.{a}.key").write_text(key(source))
    out = folder / "main/org/loranative/device/kernels"
    out.mkdir(parents=True)
    for source in sources:
        for a in architectures:
            to = folder if source.stem == "conformance" else out
            shutil.copy(built / f"{source.stem}.{a}.cubin", to)
    names = [s.stem for s in sources if s.stem != "conformance"]
    (out / "list.txt").write_text("".join(n + "\n" for n in names))
    (out / "architectures.txt").write_text(",".join(a.removeprefix("sm_") for a in architectures))


def classes(folder):
    """The jar without what is not used, and with the native library of without_onednn(); what is
    not compressed in a jar is compressed better around it."""
    native = "org/loranative/device/linux-x86_64/libjniLoraOps.so"
    with zipfile.ZipFile(TARGET / "lora-native.jar") as old, \
            zipfile.ZipFile(folder / "main.jar", "w") as new:
        for name in old.namelist():
            if name == native:
                new.writestr(name, without_onednn())
            elif name.endswith("libtokenizers.so"):
                new.writestr(name, stripped(old.read(name)))
            elif not name.endswith("/") and \
                    not any(fnmatch.fnmatch(name, u) for u in UNUSED_ENTRIES):
                new.writestr(name, old.read(name))
    shutil.copytree(TARGET / "test-classes", folder / "tests",
                    ignore=lambda at, names: [n for n in names if Path(at, n).is_dir()
                                              and Path(at) == TARGET / "test-classes"
                                              and n != "org"])
    sh("mvn", "-q", "-o", "dependency:copy-dependencies", "-DincludeScope=test",
       f"-DoutputDirectory={folder / 'lib'}", "-DincludeGroupIds=" + ",".join(TEST_LIBRARIES))
    for jar in (folder / "lib").glob("*.jar"):
        stored = jar.with_suffix(".stored")
        with zipfile.ZipFile(jar) as old, zipfile.ZipFile(stored, "w") as new:
            for entry in old.namelist():
                if not entry.endswith("/"):
                    new.writestr(entry, old.read(entry))
        stored.replace(jar)


def stripped(library):
    with tempfile.NamedTemporaryFile() as file:
        file.write(library)
        file.flush()
        sh("strip", "--strip-all", file.name)
        return Path(file.name).read_bytes()


def without_onednn():
    """The bytes of the JNI library over plain/libloranative.a; --as-needed leaves libdnnl.so out."""
    native = TARGET / "native"
    sh("cmake", "--build", native, "--target", "loranative_plain", stdout=subprocess.DEVNULL)
    version = re.search(r"<javacpp.version>(.*)<", (ROOT / "pom.xml").read_text())[1]
    javacpp = Path.home() / f".m2/repository/org/bytedeco/javacpp/{version}/javacpp-{version}.jar"
    dnnl = TARGET / "dnnl/org/bytedeco/dnnl/linux-x86_64"
    with tempfile.TemporaryDirectory() as place:
        sh("java", "-jar", javacpp, "-classpath", TARGET / "classes", "-d", place,
           "-properties", "linux-x86_64", "-Dplatform.linkpath.prefix2=-L",
           "-Dplatform.compiler.default=-march=x86-64-v2 -m64 -O2 -s -Wl,--as-needed",
           f"-Dplatform.includepath={ROOT / 'src/main/native'}",
           f"-Dplatform.linkpath={native / 'plain'}:{dnnl}", "org.loranative.device.LoraOps",
           stdout=subprocess.DEVNULL)
        return next(Path(place).rglob("libjniLoraOps.so")).read_bytes()


def runtime(jdk):
    """A Java of its own: java.tar.xz, made once."""
    folder = TARGET / "gpu-check-java"
    packed = folder / "java.tar.xz"  # delete it to have another one made
    if packed.exists():
        return packed
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    java(folder, jdk)
    compress(packed, folder, ["java"])
    return packed


def compress(out, folder, names):
    for library in (f for name in names for f in (folder / name).rglob("*.so")):
        subprocess.run(["strip", "--strip-all", library], check=False)
    partial = out.with_suffix(".partial")
    with lzma.open(partial, "wb", filters=FILTERS) as packed, \
            tarfile.open(fileobj=packed, mode="w") as payload:
        for name in names:
            payload.add(folder / name, name)
    partial.rename(out)


def java(folder, jdk):
    listed = subprocess.run([jdk / "bin/jimage", "list", jdk / "lib/modules"], check=True,
                            capture_output=True, text=True).stdout
    module, entries = "", {}
    for line in listed.splitlines():
        package, _, name = line.strip().rpartition("/")
        if line.startswith("Module: "):
            module = line.split()[1]
        elif any(f"{package}/".startswith(u + "/") for u in UNUSED_CLASSES.get(module, ())):
            entries.setdefault(f"/{module}/{package}", []).append(name)
    unused = []
    for package, names in entries.items():
        # jlink wants something in each package, ImageIO's registry its providers.
        plain = [n for n in names if n.endswith(".class") and "$" not in n] or names
        kept = {plain[0], *(n for n in names if n.endswith("Spi.class"))}
        unused += [f"{package}/{n}" for n in names if n not in kept]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(unused))
        file.flush()
        # Compression is the archive's.
        sh(jdk / "bin/jlink", "--add-modules", MODULES, "--strip-debug", "--no-man-pages",
           "--no-header-files", "--vm=server", "--compress=zip-0",
           f"--exclude-resources=@{file.name}", "--output", folder / "java")
    for name in UNUSED_FILES:
        (folder / f"java/lib/lib{name}.so").unlink(missing_ok=True)
    shutil.rmtree(folder / "java/legal")


def resources(folder):
    for pattern in RESOURCES:
        for path in sorted(ROOT.glob(pattern)):
            to = folder / path.relative_to(ROOT)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, to) if path.is_dir() else shutil.copy(path, to)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    temurin = sorted(glob.glob("/usr/lib/jvm/temurin-*"))
    p.add_argument("--arch", action="append", help="cubins for these alone; sm_90 if none is named")
    p.add_argument("--jdk", type=Path, default=Path(temurin[0]) if temurin else None)
    p.add_argument("--built", action="store_true")
    chosen = p.parse_args()
    if chosen.jdk is None:
        p.error("name a portable JDK by --jdk")
    if not chosen.built:
        build()
    folder = TARGET / "gpu-check"
    shutil.rmtree(folder, ignore_errors=True)
    kernels(folder, chosen.arch or ["sm_90"])
    classes(folder)
    resources(folder)
    shutil.copytree(ROOT / "benchmarks/gpu_check", folder / "gpu_check",
                    ignore=shutil.ignore_patterns("__pycache__", "pack.py"))
    shutil.copy(TARGET / "native/launches.json", folder)
    shutil.copy(ROOT / "src/test/native/emulator/conformance.txt", folder)
    shutil.copy(runtime(chosen.jdk), folder)
    compress(folder / "classes.tar.xz", folder, ["main.jar", "tests", "lib", "src", "models"])
    out = TARGET / "gpu-check.tar.gz"
    with tarfile.open(out, "w:gz", compresslevel=9) as archive:
        for name in ("gpu_check", "launches.json", "conformance.txt", "java.tar.xz",
                     "classes.tar.xz", "main/org/loranative/device/kernels",
                     *(f.name for f in folder.glob("conformance.*.cubin"))):
            archive.add(folder / name, f"gpu-check/{name}")
    size = out.stat().st_size
    print(f"{out}: {size / 2**20:.1f} MiB")
    if size > MOST_BYTES:
        sys.exit(f"{out} has {size / 2**20:.1f} MiB and may have {MOST_BYTES >> 20}: leave files out"
                 " that no case reads on a card (RESOURCES, UNUSED_ENTRIES) or pack for one --arch.")


if __name__ == "__main__":
    main()
