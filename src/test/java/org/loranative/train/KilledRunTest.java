package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.StoppedException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.io.AtomicFolders;
import org.loranative.io.Checksums;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.lora.Slot;
import org.loranative.optim.Hyperparameters;
import org.loranative.optim.LossScale;
import org.loranative.optim.Optimizers;
import org.loranative.testing.KillingFileSystem;
import org.loranative.testing.SumTask;
import org.loranative.track.Console;
import org.loranative.train.machine.Sensors;
import org.loranative.train.runs.Prune;

/**
 * A run that is killed at every single step of its work with files: whatever bears a name is whole,
 * and {@code --resume} ends with the same bits. The arithmetic is a stand-in; saving, the best
 * adapter, pruning, rolling back, resuming and the export are a run's own.
 */
class KilledRunTest {
  private static final Console CONSOLE =
      new Console(new PrintStream(new ByteArrayOutputStream()), false);
  private static final int STEPS = 5;

  @TempDir private Path folder;
  private final Adapters adapters =
      new Adapters(
          new LoraSpec(2, 2, 0, List.of("all-linear"), false),
          List.of(new Adapters.Target("layers.0.q_proj", 4, 3)));
  private final List<Slot> slots =
      List.of(
          Slot.zeros("exp_avg", DType.F32, adapters.floats()),
          Slot.ofParameters("z", adapters.floats()));
  private final Task<Integer> task = SumTask.of(adapters);
  private final RunIdentity identity =
      new RunIdentity(42, "data", "base", "layers", "adamw", Map.of());

  /** Steps whose measurement Ctrl-C ends, each once for an entry. */
  private final List<Integer> stops = new ArrayList<>();

  /** A run with a validation loss that rises and falls; step 4 needs a quarter of the rate. */
  private void run(Path output, boolean resume) throws IOException {
    TrainConfig config =
        ConfigReader.read(
            Optional.empty(),
            List.of(
                "output_dir=" + output,
                "save_steps=1",
                "keep_checkpoints=2",
                "on_divergence=rollback"));
    try (Device device = new CpuDevice(1);
        Sensors sensors = new Sensors(device);
        AdapterState state = new AdapterState(device, adapters, DType.F32, slots);
        RunFolder run = new RunFolder(output, resume)) {
      Runnable begin = () -> begin(state);
      Checkpoint from = run.start(run.newest(identity), identity, state, begin);
      try (Tracker tracker = new Tracker(run, Map.of(), from.step() + 1, STEPS, "sums", CONSOLE)) {
        RunLoop loop =
            new RunLoop(
                new RunLoop.Parts(
                    config,
                    run,
                    task,
                    adapters,
                    Optimizers.named("adamw", new Hyperparameters(0, 0, 0, 0)),
                    state,
                    new Anatomy(adapters, state, Map.of()),
                    LossScale.none(),
                    tracker,
                    Optional.empty(),
                    sensors,
                    new StopSignal(),
                    begin,
                    STEPS,
                    STEPS),
                new LiveDoctor(Map.of(), STEPS),
                from);
        int done = from.step();
        while (done < STEPS || loop.owesMeasurement()) {
          try {
            int now = done;
            if (loop.owesMeasurement() && !loop.makeUp(now, () -> measure(now))) {
              return;
            }
            done = steps(done, state, loop);
            if (loop.owesMeasurement()) {
              loop.saveLast(done);
              return;
            }
          } catch (TrainingDivergedException e) {
            done = loop.rollBack(e);
          }
        }
      }
      task.finish(run.root(), state.numbers(AdapterState.PARAMS));
    }
  }

  private static void begin(AdapterState state) {
    float[] params = state.numbers(AdapterState.PARAMS).all();
    java.util.Arrays.fill(params, 1);
    state.begin(Numbers.of(params));
  }

  private Measurement measure(int step) {
    if (stops.remove((Integer) step)) {
      throw new StoppedException("Stopped.");
    }
    double loss = Math.abs(step - 2.5);
    return new Measurement(
        Map.of("val", loss),
        Map.of("val", Map.of()),
        Map.of("val", List.of(new RecordLoss("held out", loss, 0))));
  }

  private int steps(int done, AdapterState state, RunLoop loop) throws IOException {
    for (int step = done + 1; step <= STEPS; step++) {
      if (step == 4 && loop.rateFactor() > 0.3) {
        throw new TrainingDivergedException("The loss is NaN.", step, step);
      }
      loop.beforeUpdate(step);
      float[] params = state.numbers(AdapterState.PARAMS).all();
      for (int i = 0; i < params.length; i++) {
        params[i] = (float) (params[i] * 0.9 + Math.sin(31 * step + i) * loop.rateFactor());
      }
      state.write(AdapterState.PARAMS, Numbers.of(params));
      state.write("exp_avg", Numbers.of(params));
      int now = step;
      loop.afterStep(
          new Tracker.Step(
              step,
              params[0],
              Map.of(),
              List.of(new RecordLoss("r" + step, Math.abs(step - 2.5), 0)),
              loop.rateFactor(),
              1,
              1,
              1,
              1,
              1),
          () -> measure(now));
      if (loop.owesMeasurement()) {
        return step;
      }
    }
    return STEPS;
  }

  @Test
  @Tag("slow")
  void aKillAtAnyStepLosesNothing() throws IOException {
    Path whole = folder.resolve("whole");
    KillingFileSystem alive = new KillingFileSystem(Integer.MAX_VALUE);
    run(alive.path(whole), false);
    assertThat(Files.readString(whole.resolve("checkpoint-5/trainer_state.json")))
        .as("each rollback further back")
        .contains("\"rollbacks\" : 2", "\"rollback_to\" : 2");
    assertThat(alive.steps()).isGreaterThan(200);
    for (int last = 0; last < alive.steps(); last++) {
      Path killed = folder.resolve("killed");
      KillingFileSystem doomed = new KillingFileSystem(last);
      try {
        run(doomed.path(killed), false);
        throw new AssertionError("not killed at step " + last);
      } catch (KillingFileSystem.Killed e) {
        assertWhole(killed, e.getMessage());
        run(living(killed), true);
        Map<String, String> ended = contents(killed);
        ended.keySet().removeIf(name -> name.startsWith("checkpoint-3/")); // not pruned: no harm
        assertThat(ended).as(e.getMessage()).isEqualTo(contents(whole));
      }
      AtomicFolders.delete(killed);
    }
  }

  /** Ctrl-C while a step's result is measured: the step is kept, its measurement made again. */
  @Test
  void aStopWithinAMeasurementChangesNothing() throws IOException {
    Path whole = folder.resolve("whole");
    run(living(whole), false);
    for (int step = 1; step <= STEPS; step++) {
      Path stopped = folder.resolve("stopped");
      stops.addAll(List.of(step, step));
      run(living(stopped), false);
      assertThat(stopped.resolve("checkpoint-" + step + "/trainer_state.json"))
          .content()
          .contains("\"owes_measurement\" : true");
      run(living(stopped), true);
      assertThat(stops).as("made up for at once").isEmpty();
      run(living(stopped), true);
      assertThat(contents(stopped)).as("stopped after step " + step).isEqualTo(contents(whole));
      assertThat(losses(stopped)).isEqualTo(losses(whole));
      AtomicFolders.delete(stopped);
    }
  }

  private static List<JsonNode> losses(Path run) throws IOException {
    List<JsonNode> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("logs/metrics.jsonl"))) {
      losses.add(new ObjectMapper().readTree(line).path("val_loss"));
    }
    return losses;
  }

  @Test
  void aKilledPruneLeavesWholeCheckpoints() throws IOException {
    Path whole = folder.resolve("run");
    run(living(whole), false);
    Path oldest = RunFolder.checkpoints(whole).get(0);
    for (int last = 0; ; last++) {
      KillingFileSystem doomed = new KillingFileSystem(last);
      try {
        Prune.remove(new Prune.Item(doomed.path(oldest), 0));
        assertThat(oldest).doesNotExist();
        assertThat(last).isGreaterThan(4);
        break;
      } catch (KillingFileSystem.Killed e) {
        assertWhole(whole, e.getMessage());
      }
      if (!Files.exists(oldest)) {
        run(living(whole), true); // cleans up
        assertThat(AtomicFolders.leftovers(whole)).isEmpty();
        AtomicFolders.delete(whole);
        run(living(whole), false);
      }
    }
  }

  /** A folder as a process sees it that is not killed (and does not wait for the disk). */
  private static Path living(Path real) {
    return new KillingFileSystem(Integer.MAX_VALUE).path(real);
  }

  /** Whatever bears a name of its own is whole. */
  private static void assertWhole(Path run, String at) throws IOException {
    if (!Files.exists(run)) {
      return;
    }
    for (Path checkpoint : RunFolder.checkpoints(run)) {
      assertThat(Checksums.problem(checkpoint)).as(at + ": " + checkpoint).isEmpty();
    }
    for (String adapter : List.of("adapter", "best")) {
      if (Files.exists(run.resolve(adapter))) {
        assertThat(run.resolve(adapter).resolve(SumTask.FILE)).as(at).hasSize(SumTask.SIZE);
        assertThat(run.resolve(adapter).resolve(SumTask.SECOND)).as(at).hasSize(SumTask.SIZE);
      }
    }
  }

  /** All that a run is to end with, by path: text for what differs by the clock or the place. */
  private static Map<String, String> contents(Path run) throws IOException {
    Map<String, String> contents = new java.util.TreeMap<>();
    try (Stream<Path> files = Files.walk(run)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = run.relativize(file).toString();
        boolean differs =
            name.startsWith("logs/events")
                || name.endsWith("config.yaml") // names its folder
                || name.endsWith("SHA256SUMS");
        if (name.endsWith("metrics.jsonl")) {
          contents.put(
              name, Files.readString(file).replaceAll(",\"labelled\".*", "")); // no sensors
          continue;
        }
        contents.put(
            name.startsWith("logs/events") ? "logs/events" : name,
            differs ? "" : String.valueOf(java.util.Arrays.hashCode(Files.readAllBytes(file))));
      }
    }
    return contents;
  }
}
