package org.loranative.train.runs;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.loranative.Counted;
import org.loranative.ShellWord;
import org.loranative.StoppedException;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TaskType;
import org.loranative.config.TrainConfig;
import org.loranative.device.Device;
import org.loranative.device.TakenMemory;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.io.AtomicFiles;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.model.Placement;
import org.loranative.model.WeightNorms;
import org.loranative.model.weights.LoadedWeights;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;
import org.loranative.optim.EvaluatedState;
import org.loranative.optim.Hyperparameters;
import org.loranative.optim.LossScale;
import org.loranative.optim.Optimizer;
import org.loranative.optim.Optimizers;
import org.loranative.optim.Schedule;
import org.loranative.optim.Update;
import org.loranative.track.Console;
import org.loranative.track.RunLog;
import org.loranative.track.RunStatus;
import org.loranative.track.RunStatus.State;
import org.loranative.track.StepLine;
import org.loranative.train.Anatomy;
import org.loranative.train.BatchFeed;
import org.loranative.train.Checkpoint;
import org.loranative.train.JavaHeap;
import org.loranative.train.LiveDoctor;
import org.loranative.train.MemoryPlan;
import org.loranative.train.PlanStore;
import org.loranative.train.Previews;
import org.loranative.train.Room;
import org.loranative.train.RunFolder;
import org.loranative.train.RunGraphs;
import org.loranative.train.RunIdentity;
import org.loranative.train.RunLoop;
import org.loranative.train.Steps;
import org.loranative.train.StopSignal;
import org.loranative.train.Task;
import org.loranative.train.Tracker;
import org.loranative.train.Trainer;
import org.loranative.train.Training;
import org.loranative.train.TrainingDivergedException;
import org.loranative.train.diffusion.DiffusionTraining;
import org.loranative.train.llm.LlmTraining;
import org.loranative.train.machine.Devices;
import org.loranative.train.machine.Owned;
import org.loranative.train.machine.Sensors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From a configuration to a finished adapter: opens everything in order, closes it in reverse. */
public final class TrainRun implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TrainRun.class);

  /** A learning rate so many times its usual one, or less than one such part, is remarked on. */
  private static final double UNUSUAL = 100;

  private final TrainConfig config;
  private final Owned owned = new Owned();
  private final RunLog.Beginning beginning;
  private final Device device;
  private final DType compute;
  private final Opened<?> opened;

  /**
   * A kind of training with what was planned for it.
   *
   * @param needed every weight that is loaded, by name
   */
  private record Opened<B>(
      Training<B> kind,
      Steps<B> steps,
      Trainer.Recipe setting,
      MemoryPlan memory,
      BatchFeed.Sizes batches,
      Map<String, Value> needed,
      Graph weightNorms,
      JavaHeap heap) {}

  /** Opens base, data and device, and plans the memory; loads no weights yet. */
  public TrainRun(TrainConfig config) {
    config.requireComplete();
    this.config = config;
    beginning = owned.add(RunLog.begin());
    boolean done = false;
    try {
      device = owned.add(Devices.open(config.device(), config.threads()));
      compute = Devices.compute(config.computeDtype(), device);
      log.info("device: {}; compute dtype {}", device.description(), config.computeDtype());
      opened =
          config.task() == TaskType.SD
              ? open(owned.add(new DiffusionTraining(config, device, compute)))
              : open(owned.add(new LlmTraining(config, device, compute)));
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private <B> Opened<B> open(Training<B> kind) {
    new Beginning(config, device, compute).check(kind);
    Task<B> task = kind.task(); // reads the data
    for (LoraSpec spec : kind.adapters().specs()) {
      log.info(
          "{}, {}{}",
          spec.method().summary(spec),
          Counted.of(
              kind.adapters().modules().stream().filter(m -> m.spec().equals(spec)).count(),
              "layer"),
          spec.rate() == 1 ? "" : String.format(", learning_rate times %.3g", spec.rate()));
    }
    log.info("Adapter: {} trained parameters", kind.adapters().parameters());
    Steps<B> steps =
        new Steps<>(task, config.gradientAccumulation(), config.epochs(), config.maxSteps());
    if (config.earlyStop() > 0 && !holdsOut(task)) {
      throw new NothingHeldOutException();
    }
    warnOfUnusualRate();
    Trainer.Recipe setting = setting(steps);
    RunGraphs graphs =
        RunGraphs.of(
            kind,
            steps,
            Update.of(setting.optimizer(), kind.adapters(), compute, (float) setting.maxGradNorm()),
            compute);
    JavaHeap heap = JavaHeap.of(kind.adapters(), kind.preparedBytes());
    heap.require();
    Room room = Room.of(device, heap);
    MemoryPlan memory =
        MemoryPlan.choose(
            kind,
            setting.optimizer().slots(kind.adapters()),
            device,
            graphs,
            config.memoryBudgetBytes().orElse(room.bytes()),
            config.memoryBudgetBytes().isPresent() ? "memory_budget" : room.name());
    return new Opened<>(
        kind,
        steps,
        setting,
        memory,
        BatchFeed.Sizes.of(graphs),
        Weights.of(graphs.all()),
        graphs.weightNorms(),
        heap);
  }

  /** A rate that was copied from a run with another optimizer. */
  private void warnOfUnusualRate() {
    double times = config.learningRate() / config.usualLearningRate();
    if (times > UNUSUAL || times < 1 / UNUSUAL) {
      log.warn(
          String.format(
              "learning_rate %.3g is far from what optimizer %s usually takes: %.3g.",
              config.learningRate(), config.optimizer(), config.usualLearningRate()));
    }
  }

  private static boolean holdsOut(Task<?> task) {
    return task.evaluationSets().stream().anyMatch(m -> m.name().equals("val"));
  }

  /** Whether something is measured that is not trained on. */
  public boolean holdsOut() {
    return holdsOut(opened.kind().task());
  }

  /** Says what data it trains on and measures. */
  public String dataFingerprint() {
    Task<?> task = opened.kind().task();
    return task.fingerprint() + task.measuredFingerprint();
  }

  /** Optimizer steps of the run. */
  public int steps() {
    return opened.steps().total();
  }

  /** What it takes in all. */
  public long bytes() {
    return opened.memory().total();
  }

  /** What it takes in all, for people. */
  public String memory() {
    return MemoryPlan.size(opened.memory().total());
  }

  /** Encodes what training reads encoded, and keeps it beside the data. */
  public void prepare() {
    opened.kind().prepare();
  }

  /** The memory table and, if asked, the plan of the largest batch. */
  public String describe(boolean dumpPlan) {
    return String.format(
        "%s; the largest batch has %s%n%sbeside it, estimated: Java's heap, some %s; libraries,"
            + " some %s%n%s",
        Counted.of(opened.steps().total(), "step"),
        opened.memory().largest().shape(),
        opened.memory().table(),
        MemoryPlan.size(opened.heap().needed()),
        MemoryPlan.size(Room.LIBRARIES),
        dumpPlan ? opened.memory().largest().plan().dump() : "");
  }

  /**
   * Trains to the end, or until {@code stop} is set.
   *
   * @param resume continue from the newest checkpoint
   * @return the folder with the finished adapter; empty when stopped early
   */
  public Optional<Path> train(boolean resume, Console console, StopSignal stop) {
    return trainTo(steps(), resume, console, stop);
  }

  /**
   * Trains up to a step as if it were stopped there: a checkpoint of it is left, and resuming goes
   * on.
   *
   * @return the folder with the finished adapter; empty when stopped before the end
   */
  public Optional<Path> trainTo(int step, boolean resume, Console console, StopSignal stop) {
    try (RunFolder folder = new RunFolder(Path.of(config.outputDir()), resume);
        AutoCloseable fileLog = RunLog.toFile(folder.trainLog(), beginning)) {
      RunStatus status = RunStatus.ofThisProcess(steps(), bytes());
      boolean failed = true;
      String why = "";
      try {
        status.write(folder.logs());
        Optional<Path> finished = train(opened, folder, step, console, stop);
        failed = false;
        status = status.ended(finished.isPresent() ? State.FINISHED : State.STOPPED, "");
        return finished;
      } catch (RuntimeException | IOException e) {
        why = String.valueOf(e.getMessage());
        throw e;
      } finally {
        (failed ? status.ended(State.FAILED, why) : status).write(folder.logs());
      }
    } catch (RuntimeException e) {
      throw e;
    } catch (IOException e) {
      throw new UserException(
          "output_dir " + config.outputDir() + " cannot be written: " + e.getMessage(), e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private <B> Optional<Path> train(
      Opened<B> run, RunFolder folder, int until, Console console, StopSignal stop)
      throws IOException {
    Training<B> kind = run.kind();
    Task<B> task = kind.task();
    Adapters adapters = kind.adapters();
    Steps<B> steps = run.steps();
    MemoryPlan memory = run.memory();
    long start = System.nanoTime();
    String yaml = ConfigReader.toYaml(config);
    log.debug("configuration:\n{}", yaml);
    log.info("memory: {} planned", MemoryPlan.size(memory.total()));
    log.debug("{}", describe(false));
    logBlocks(run.needed());
    RunIdentity identity = RunIdentity.of(config, kind.task(), kind.weights(), adapters);
    Optional<RunFolder.Saved> newest = folder.newest(identity);
    kind.prepare();
    LoadedWeights weights = owned.add(kind.weights().load(run.needed(), device));
    AdapterState state =
        owned.add(
            new AdapterState(device, adapters, compute, run.setting().optimizer().slots(adapters)));
    Placement placement = owned.add(new Placement(device, weights, state, kind.constants()));
    PlanStore plans = owned.add(new PlanStore(memory.plans(), device, placement));
    Runnable begin = () -> new Beginning(config, device, compute).set(kind, state, placement);
    Checkpoint from = folder.start(newest, identity, state, begin);
    AtomicFiles.writeString(folder.config(), yaml); // now that nothing refuses it
    int done = from.step();
    Anatomy anatomy =
        new Anatomy(
            adapters,
            state,
            WeightNorms.measure(device, run.weightNorms(), placement, plans.arena()));
    LossScale lossScale =
        compute == DType.F16 ? LossScale.dynamic(from.lossScale()) : LossScale.none();
    Trainer<B> trainer =
        owned.add(
            new Trainer<>(
                task,
                steps,
                device,
                state,
                plans,
                run.setting(),
                lossScale,
                memory,
                run.batches()));
    Optional<Previews> previews = kind.previews(placement, plans.arena());
    previews.ifPresent(owned::add);
    Sensors sensors = owned.add(new Sensors(device));
    Map<String, Object> notes = new LinkedHashMap<>();
    notes.put("lora_scale", adapters.specs().get(0).scale());
    notes.put("trained_parameters", adapters.parameters());
    notes.putAll(task.facts());
    notes.put("total_steps", steps.total());
    notes.put("usual_learning_rate", config.usualLearningRate());
    Map<String, Object> settings = new LinkedHashMap<>(ConfigReader.toMap(config));
    settings.putAll(notes);
    Path finished;
    LiveDoctor doctor = new LiveDoctor(settings, steps.total());
    if (done > 0) {
      doctor.resume(folder.recorded(), done);
    } else {
      doctor.news().found().forEach(f -> log.warn("doctor: {}", f)); // known before the first step
    }
    try (Tracker tracker =
        new Tracker(folder, settings, done + 1, steps.total(), task.unit(), console)) {
      RunLoop loop =
          new RunLoop(
              new RunLoop.Parts(
                  config,
                  folder,
                  task,
                  adapters,
                  run.setting().optimizer(),
                  state,
                  anatomy,
                  lossScale,
                  tracker,
                  previews,
                  sensors,
                  stop,
                  begin,
                  steps.total(),
                  until),
              doctor,
              from);
      if (done >= steps.total() && !loop.owesMeasurement()) {
        log.info("The run is finished: all its {} steps are done.", done);
      }
      boolean stays = loop.isOver() || done >= until && !loop.owesMeasurement();
      int last = stays ? done : run(run, trainer, loop, tracker, done);
      if (loop.owesMeasurement() || (last < steps.total() && !loop.isOver())) {
        int saved = loop.saveLast(last);
        log.info("Stopped after step {}; --resume continues from step {}.", last, saved);
        tracker.end(false);
        return Optional.empty();
      }
      if (last < steps.total()) {
        log.info("Stopped early after step {}: the validation loss got no better.", last);
      }
      log.info(
          "{} in {}.",
          Counted.of(last - done, "step"),
          StepLine.clock(Duration.ofNanos(System.nanoTime() - start)));
      if (loop.bestStep() > 0) {
        log.info("The validation loss was lowest at step {}: {}", loop.bestStep(), folder.best());
      }
      loop.verdict(last);
      finished =
          task.finish(folder.root(), EvaluatedState.params(run.setting().optimizer(), state));
      tracker.end(true);
    }
    TakenMemory.most()
        .ifPresent(
            most ->
                log.info(
                    "memory: {} planned; the process took {} at most, with Java, libraries and"
                        + " mapped files",
                    MemoryPlan.size(memory.total()),
                    MemoryPlan.size(most)));
    log.info("Adapter: {}", finished);
    log.info("Try it: {}", kind.trial(finished));
    log.info(
        "Look at it: lora-native board {} (or tensorboard --logdir {})",
        ShellWord.of(folder.root()),
        ShellWord.of(folder.logs()));
    return Optional.of(finished);
  }

  /** Trains from a step on; goes back and on where the run diverges and may. */
  private int run(Opened<?> run, Trainer<?> trainer, RunLoop loop, Tracker tracker, int done)
      throws IOException {
    if (done == 0) {
      try {
        loop.beforeSteps(trainer.measure());
      } catch (StoppedException e) {
        return 0; // a resumed run measures again
      }
    }
    int from = done;
    while (true) {
      try {
        if (loop.owesMeasurement() && !loop.makeUp(from, trainer::measure)) {
          return from;
        }
        return trainer.run(from, loop);
      } catch (TrainingDivergedException e) {
        if (e.at() == 1) {
          tracker.diverged(e);
          throw FirstStepFault.of(config, run.kind().weights().notFinite(run.needed()), e);
        }
        from = loop.rollBack(e);
      }
    }
  }

  private void logBlocks(Map<String, Value> weights) {
    if (Quantize.named(config.quantize()) == Quantize.NONE) {
      return;
    }
    int tensors = weights.size();
    Map<DType, Long> blocks = new EnumMap<>(DType.class);
    weights.values().stream()
        .filter(v -> v.dtype().isBlocks())
        .forEach(v -> blocks.merge(v.dtype(), 1L, Long::sum));
    if (blocks.isEmpty()) {
      log.warn(
          "quantize: {} changes nothing: {} has no linear layer {}.",
          config.quantize(),
          config.baseModel(),
          Quantize.named(config.quantize()).asks);
    } else {
      String held =
          blocks.entrySet().stream()
              .map(e -> e.getValue() + " " + e.getKey())
              .collect(Collectors.joining(", "));
      log.info("frozen weights in blocks: {} of {} tensors", held, tensors);
    }
  }

  private Trainer.Recipe setting(Steps<?> steps) {
    Schedule.Curve schedule =
        new Schedule.Curve(
            Schedule.named(config.lrSchedule()).orElseThrow(),
            config.learningRate(),
            config.warmupSteps(),
            steps.total(),
            config.lrCycles(),
            config.lrPower());
    Hyperparameters hyperparameters =
        new Hyperparameters(
            config.adamBeta1().floatValue(),
            config.adamBeta2().floatValue(),
            config.adamEpsilon().floatValue(),
            config.weightDecay().floatValue(),
            schedule.warmsUp());
    Optimizer optimizer = Optimizers.named(config.optimizer(), hyperparameters);
    return new Trainer.Recipe(
        schedule,
        config.emaDecay() > 0 ? Optimizers.averaged(optimizer, config.emaDecay()) : optimizer,
        config.maxGradNorm(),
        config.seed());
  }

  @Override
  public void close() {
    owned.close();
  }
}
