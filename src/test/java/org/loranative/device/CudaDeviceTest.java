package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.io.Checksums;
import org.loranative.testing.ChildJava;
import org.loranative.testing.TestDevices;
import org.loranative.testing.TinyModel;

/**
 * The CUDA device's host path on an emulated card of any size and age. Each case is a process of
 * its own, as a user starts it: a driver library is initialized once.
 */
class CudaDeviceTest {
  /** Where only which device is taken matters. */
  private static final String ONE_STEP = "--set=max_steps=1";

  @TempDir Path folder;
  private Path base;
  private Path data;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
    data = folder.resolve("data.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      lines.add("{\"prompt\":\"what is " + i + "? \",\"completion\":\"it is " + i * i + "\"}");
    }
    Files.write(data, lines);
  }

  private record Outcome(int code, String output) {}

  private Outcome run(Map<String, String> environment, String... arguments) throws IOException {
    List<String> command = ChildJava.command(List.of(), "org.loranative.cli.Main", arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put(CudaDevice.EMULATOR, TestDevices.emulator());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes());
    try {
      return new Outcome(process.waitFor(), output);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private Outcome train(Map<String, String> environment, String device, String... more)
      throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--set=base_model=" + base,
                "--set=metadata_path=" + data,
                "--set=device=" + device,
                "--set=max_steps=6",
                "--set=learning_rate=0.01",
                "--set=save_steps=3",
                "--set=lora_dropout=0.1"));
    arguments.addAll(List.of(more));
    return run(environment, arguments.toArray(String[]::new));
  }

  private List<Double> losses(String output) throws IOException {
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(output).resolve("logs/metrics.jsonl"))) {
      losses.add(Double.parseDouble(line.replaceAll(".*\"loss\":([0-9.eE-]+).*", "$1")));
    }
    return losses;
  }

  @Test
  void knowsAnEmulatorByItsLibrary() {
    assertThat(CudaDevice.isEmulator(TestDevices.emulator())).isTrue();
    assertThat(CudaDevice.isEmulator(CudaDevice.DRIVER)).isFalse();
    assertThat(CudaDevice.isEmulator("/usr/lib/wsl/lib/" + CudaDevice.DRIVER)).isFalse();
  }

  @Test
  void trainsAsTheCpuDoesAndResumesOnTheOther() throws IOException {
    String card = "--set=output_dir=" + folder.resolve("card");
    Outcome emulated =
        train(Map.of(), "cuda-emu", card, "--set=max_steps=3", "--set=lr_schedule=constant");
    assertThat(emulated.code()).as(emulated.output()).isZero();
    assertThat(emulated.output()).contains("cuda-emu, emulated card");
    String constant = "--set=output_dir=" + folder.resolve("constant");
    assertThat(train(Map.of(), "cpu", constant, "--set=lr_schedule=constant").code()).isZero();
    // Three steps on the card, three more on the CPU from the card's checkpoint.
    Outcome resumed = train(Map.of(), "cpu", card, "--resume", "--set=lr_schedule=constant");
    assertThat(resumed.code()).as(resumed.output()).isZero();
    List<Double> expected = losses("constant");
    List<Double> actual = losses("card");
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i))
          .isCloseTo(expected.get(i), org.assertj.core.data.Percentage.withPercentage(1e-3));
    }
  }

  @Test
  @Tag("slow")
  void schedulesDoNotChangeABit() throws IOException {
    for (String seed : List.of("0", "3", "8")) {
      train(
          Map.of("LN_EMU_SEED", seed),
          "cuda-emu",
          "--set=compute_dtype=bf16",
          "--set=max_steps=3", // the first by launches, the second captured, the third a graph
          "--set=output_dir=" + folder.resolve("s" + seed));
    }
    byte[] first = adapter("s0");
    assertThat(adapter("s3")).isEqualTo(first);
    assertThat(adapter("s8")).isEqualTo(first);
  }

  /** A run in the AddressSanitizer and UBSan build: any report ends the process with an error. */
  @Test
  @Tag("slow")
  void sanitizersFindNothing() throws Exception {
    Process compiler =
        new ProcessBuilder("g++", "-print-file-name=libasan.so").redirectErrorStream(true).start();
    String asan = new String(compiler.getInputStream().readAllBytes()).strip();
    assertThat(compiler.waitFor()).isZero();
    for (String dtype : List.of("f32", "bf16")) {
      Outcome outcome =
          train(
              Map.of(
                  "LD_PRELOAD",
                  asan,
                  "ASAN_OPTIONS",
                  "detect_leaks=0:handle_segv=0",
                  CudaDevice.EMULATOR,
                  TestDevices.emulator().replace("cuda_emu.so", "cuda_emu_asan.so")),
              "cuda-emu",
              "--set=max_steps=2",
              "--set=compute_dtype=" + dtype,
              "--set=output_dir=" + folder.resolve("asan-" + dtype));
      assertThat(outcome.code()).as(outcome.output()).isZero();
      assertThat(losses("asan-" + dtype)).hasSize(2);
    }
  }

  /** Hopper's own kernels may be wrong on a card that none of them has met. */
  @Test
  @Tag("slow")
  void cardsGoWithoutHoppersKernelsThatFailTheCheck() throws IOException {
    Outcome idle =
        run(Map.of("LN_EMU_CAPABILITY", "90", "LN_EMU_IDLE", "hopper_attention_dq"), "devices");
    assertThat(idle.output())
        .contains("fails its check with the kernels that only Hopper has: the gradient of q.a of")
        .contains("It goes without them")
        .contains("; checked against the CPU");
  }

  private byte[] adapter(String output) throws IOException {
    return Files.readAllBytes(folder.resolve(output).resolve("adapter/adapter_model.safetensors"));
  }

  @Test
  @Tag("slow")
  void unusableCardsAreExplained() throws IOException {
    String out = "--set=output_dir=" + folder.resolve("x");
    Outcome none = train(Map.of("LN_EMU_DEVICES", "0"), "cuda-emu", out);
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.output()).contains("no CUDA-capable device");
    Outcome old = train(Map.of("LN_EMU_DRIVER", "11080"), "cuda-emu", out);
    assertThat(old.code()).isEqualTo(2);
    assertThat(old.output()).contains("driver is for CUDA 11.8; 12.0 (driver 525) or newer");
    Outcome pascal = train(Map.of("LN_EMU_CAPABILITY", "61"), "cuda-emu", out);
    assertThat(pascal.code()).isEqualTo(2);
    assertThat(pascal.output()).contains("compute capability 6.1; 8.0 (Ampere) or newer");
    Outcome tiny = train(Map.of("LN_EMU_MEMORY", "500000"), "cuda-emu", out);
    assertThat(tiny.code()).isEqualTo(2);
    assertThat(tiny.output()).contains("the card cannot be prepared: out of memory");
    // The device's own workspace is 16 MiB.
    Map<String, String> almostFull = Map.of("LN_EMU_MEMORY", "" + ((16 << 20) + 1_250_000));
    Outcome small = train(almostFull, "cuda-emu", out);
    assertThat(small.code()).isEqualTo(2);
    assertThat(small.output()).contains("the free memory").contains("It would fit with");
    Outcome taken = train(almostFull, "cuda-emu", out, "--set=memory_budget=2GB");
    assertThat(taken.code()).isEqualTo(2);
    assertThat(taken.output()).contains("out of memory: the card has").contains("memory_budget");
    Outcome failing =
        train(
            Map.of("LN_EMU_FAIL", "rms_norm_bwd_f32"),
            "cuda-emu",
            "--set=output_dir=" + folder.resolve("failing"));
    assertThat(failing.code()).as(failing.output()).isEqualTo(1);
    String named =
        "plan line \\d+ \\(rms_norm_backward of .*norm.*\\): the kernel rms_norm_bwd_f32 failed: an"
            + " illegal memory access was encountered \\(";
    assertThat(failing.output()).containsPattern(named);
    // A tiny model has five norms: the plan runs as a graph from its second time on.
    Map<String, String> later = Map.of("LN_EMU_FAIL", "rms_norm_bwd_f32:12");
    Outcome captured = train(later, "cuda-emu", "--set=output_dir=" + folder.resolve("captured"));
    assertThat(captured.code()).isEqualTo(1);
    assertThat(captured.output())
        .contains("an illegal memory access was encountered; java -Dloranative.sync=true");
    Map<String, String> sync = new HashMap<>(later);
    sync.put("JAVA_TOOL_OPTIONS", "-Dloranative.sync=true");
    Outcome watched = train(sync, "cuda-emu", "--set=output_dir=" + folder.resolve("watched"));
    assertThat(watched.output()).containsPattern(named);
    Outcome missing = train(Map.of(CudaDevice.EMULATOR, "/nowhere.so"), "cuda-emu", out);
    assertThat(missing.code()).isEqualTo(2);
    assertThat(missing.output()).contains("/nowhere.so is not there");
    assertThat(run(Map.of("LN_EMU_DRIVER", "11080"), "devices").output())
        .contains("cuda-emu: not usable: NVIDIA's driver is for CUDA 11.8");
    Outcome unloadable = train(Map.of("LN_EMU_LOAD_FAIL", "222"), "cuda-emu", out);
    assertThat(unloadable.code()).isEqualTo(2);
    assertThat(unloadable.output())
        .contains("kernels cannot be loaded: the provided PTX was compiled with an unsupported")
        .contains("update NVIDIA's driver");
    assertThat(train(Map.of("LN_EMU_LOAD_FAIL", "2"), "cuda-emu", out).output())
        .contains("kernels cannot be loaded: out of memory; end what else takes its memory.");
    assertThat(run(Map.of("LN_EMU_LOAD_FAIL", "222"), "devices").output())
        .contains("cuda-emu:0: not usable: emulated card: kernels cannot be loaded");
  }

  /** Contexts are each card's own; a card that somebody else has to himself stops no other. */
  @Test
  @Tag("slow")
  void severalCards() throws IOException {
    String out = "--set=output_dir=" + folder.resolve("x");
    Map<String, String> two = Map.of("LN_EMU_DEVICES", "2");
    assertThat(train(two, "cuda-emu", out, ONE_STEP).code()).isZero();
    Outcome second =
        train(two, "cuda-emu:1", "--set=output_dir=" + folder.resolve("second"), ONE_STEP);
    assertThat(second.code()).as(second.output()).isZero();
    assertThat(second.output()).contains("device: cuda-emu:1, emulated card");
    String refused = "--set=output_dir=" + folder.resolve("refused");
    Outcome third = train(two, "cuda-emu:2", refused);
    assertThat(third.code()).isEqualTo(2);
    assertThat(third.output())
        .contains("device: cuda-emu:2 asks for card 2, but the driver sees 2, counted from 0");
    Map<String, String> busy = Map.of("LN_EMU_DEVICES", "2", "LN_EMU_BUSY", "0");
    Outcome other =
        train(busy, "cuda-emu", "--set=output_dir=" + folder.resolve("other"), ONE_STEP);
    assertThat(other.code()).as(other.output()).isZero();
    assertThat(other.output())
        .contains("card 0 cannot be opened: CUDA-capable device(s) is/are busy");
    Outcome first = train(busy, "cuda-emu:0", refused);
    assertThat(first.code()).isEqualTo(2);
    assertThat(first.output()).contains("card 0 cannot be opened");
    assertThat(run(busy, "devices").output())
        .contains("cuda-emu:0: not usable: card 0 cannot be opened")
        .contains("cuda-emu:1, emulated card")
        .contains("; checked against the CPU");
  }

  /** Two open cards do not get into each other's way. */
  @Test
  void callsMakeTheirCardsContextCurrent() throws Exception {
    try (Device first = TestDevices.open("cuda-emu");
        Device second = TestDevices.open("cuda-check");
        Memory one = first.allocate(64);
        Memory two = second.allocate(64)) {
      first.fill(one.address(), 1, 64);
      Thread thread =
          new Thread(
              () -> {
                second.fill(two.address(), 2, 64);
                first.await();
                second.await();
              });
      List<Throwable> thrown = new ArrayList<>();
      thread.setUncaughtExceptionHandler((t, e) -> thrown.add(e));
      thread.start();
      thread.join();
      assertThat(thrown).isEmpty();
    }
  }

  /** Gradients that overflow pass a step over; a resumed run goes on with the scale it had. */
  @Test
  @Tag("slow")
  void f16TrainsWithALossScale() throws IOException {
    String whole = "--set=output_dir=" + folder.resolve("whole");
    String parts = "--set=output_dir=" + folder.resolve("parts");
    Outcome trained = train(Map.of(), "cuda-emu", whole, "--set=compute_dtype=f16");
    assertThat(trained.code()).as(trained.output()).isZero();
    List<Double> losses = losses("whole");
    assertThat(losses.get(5)).isLessThan(losses.get(0) - 0.5);
    // A checkpoint that says that gradients are kept 2^40 times their value: no step survives that.
    Path checkpoint = folder.resolve("whole/checkpoint-3/trainer_state.json");
    assertThat(Files.readString(checkpoint)).contains("\"loss_scale\" : 65536.0");
    train(Map.of(), "cuda-emu", parts, "--set=compute_dtype=f16", "--set=max_steps=3");
    Path state = folder.resolve("parts/checkpoint-3/trainer_state.json");
    Files.writeString(
        state, Files.readString(state).replace("65536.0", Double.toString(Math.pow(2, 40))));
    Checksums.write(state.getParent());
    Outcome resumed = train(Map.of(), "cuda-emu", parts, "--set=compute_dtype=f16", "--resume");
    assertThat(resumed.code()).as(resumed.output()).isZero();
    assertThat(resumed.output())
        .contains("step 4: gradients beyond f16 at loss scale 1099511627776")
        .contains("step 6: gradients beyond f16 at loss scale 274877906944");
    Outcome cpu =
        train(
            Map.of(),
            "cpu",
            "--set=compute_dtype=f16",
            "--set=output_dir=" + folder.resolve("cpu16"));
    assertThat(cpu.code()).isEqualTo(2);
    assertThat(cpu.output()).contains("compute_dtype: f16 is for cards");
  }

  /** {@code auto} takes a card that computes as the CPU does, and no other. */
  @Test
  @Tag("slow")
  void autoTakesACardThatPassesItsCheck() throws IOException {
    Path driver = Files.createDirectory(folder.resolve("driver"));
    Files.copy(Path.of(TestDevices.emulator()), driver.resolve(CudaDevice.DRIVER));
    Map<String, String> machine = Map.of("LD_LIBRARY_PATH", driver.toString());
    Outcome taken = train(machine, "auto", "--set=output_dir=" + folder.resolve("taken"), ONE_STEP);
    assertThat(taken.code()).as(taken.output()).isZero();
    assertThat(taken.output()).contains("device: cuda, emulated card");
    assertThat(run(machine, "devices").output()).contains("; checked against the CPU");
    Outcome refused =
        train(
            Map.of(
                "LD_LIBRARY_PATH", driver.toString(), "LN_EMU_FAIL", "tiled_attention_dq_64_bf16"),
            "auto",
            "--set=output_dir=" + folder.resolve("refused"),
            ONE_STEP);
    assertThat(refused.code()).as(refused.output()).isZero();
    assertThat(refused.output())
        .contains("device: auto takes the CPU, since cuda, emulated card")
        .contains("an illegal memory access")
        .contains("device: cpu");
    Outcome unloadable =
        train(
            Map.of("LD_LIBRARY_PATH", driver.toString(), "LN_EMU_LOAD_FAIL", "222"),
            "auto",
            "--set=output_dir=" + folder.resolve("unloadable"),
            ONE_STEP);
    assertThat(unloadable.code()).as(unloadable.output()).isZero();
    assertThat(unloadable.output())
        .contains("device: auto takes the CPU: emulated card: kernels cannot be loaded")
        .contains("device: cpu");
    Outcome old =
        train(
            Map.of("LD_LIBRARY_PATH", driver.toString(), "LN_EMU_DRIVER", "11080"),
            "auto",
            "--set=output_dir=" + folder.resolve("old"),
            ONE_STEP);
    assertThat(old.code()).as(old.output()).isZero();
    assertThat(old.output())
        .contains("device: auto takes the CPU: NVIDIA's driver is for CUDA 11.8; 12.0")
        .contains("device: cpu");
    Outcome none = train(Map.of(), "auto", "--set=output_dir=" + folder.resolve("none"), ONE_STEP);
    assertThat(none.output()).contains("device: cpu").doesNotContain("takes the CPU");
  }

  /**
   * What a card says of itself is shown and recorded; where it knows no process's memory, not that.
   */
  @Test
  @Tag("slow")
  void readsTheCardsSensors() throws IOException {
    Map<String, String> hot =
        Map.of("LN_EMU_THROTTLE", "64", "LN_EMU_TEMPERATURE", "91", "LN_EMU_OTHERS", "3000000000");
    Outcome slowed = train(hot, "cuda-emu", "--set=output_dir=" + folder.resolve("hot"));
    assertThat(slowed.output()).contains("91 °C 285 W (slowed for heat)");
    assertThat(Files.readString(folder.resolve("hot/logs/metrics.jsonl")))
        .contains("\"temperature_c\":91.0")
        .contains("\"throttled_by_heat\":1.0")
        .contains("\"throttled_by_power\":0.0")
        .contains("\"memory_of_others_gb\":3.0");
    assertThat(run(hot, "devices").output()).contains("91 °C, 285 W, busy 97 % of the time");
    // Less than this process is said to hold is in use: one of the two is no number.
    Map<String, String> unknown = Map.of("LN_EMU_OTHERS", "-500000000");
    train(unknown, "cuda-emu", "--set=output_dir=" + folder.resolve("unknown"));
    assertThat(Files.readString(folder.resolve("unknown/logs/metrics.jsonl")))
        .contains("\"memory_gb\":")
        .doesNotContain("memory_of_others");
  }

  @Test
  void choosesTheNearestCubin() {
    List<String> all = List.of("80", "86", "89", "90", "100", "120", "ptx");
    assertThat(CudaDevice.suffix(80, all)).isEqualTo(".sm_80.cubin");
    assertThat(CudaDevice.suffix(87, all)).isEqualTo(".sm_86.cubin");
    assertThat(CudaDevice.suffix(89, all)).isEqualTo(".sm_89.cubin");
    assertThat(CudaDevice.suffix(90, all)).isEqualTo(".sm_90.cubin");
    assertThat(CudaDevice.suffix(100, all)).isEqualTo(".sm_100.cubin");
    assertThat(CudaDevice.suffix(103, all)).isEqualTo(".sm_100.cubin");
    assertThat(CudaDevice.suffix(110, all)).isEqualTo(".compute_80.ptx");
    assertThat(CudaDevice.suffix(121, all)).isEqualTo(".sm_120.cubin");
    assertThat(CudaDevice.suffix(89, List.of("90"))).isEmpty();
  }
}
