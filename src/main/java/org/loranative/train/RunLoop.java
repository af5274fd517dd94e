package org.loranative.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.loranative.StoppedException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.diagnose.Finding;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.optim.EvaluatedState;
import org.loranative.optim.LossScale;
import org.loranative.optim.Optimizer;
import org.loranative.track.LayerLog;
import org.loranative.track.RunRequests;
import org.loranative.train.machine.Sensors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens after each step: tracking, the doctor, the best adapter, previews, checkpoints; and
 * going back to one when the run diverges.
 */
public final class RunLoop implements Trainer.Listener {
  private static final Logger log = LoggerFactory.getLogger(RunLoop.class);

  /**
   * What the loop works with.
   *
   * @param reset brings the adapters back to where the run began
   * @param total steps of the run
   * @param until after which step it is stopped
   */
  public record Parts(
      TrainConfig config,
      RunFolder folder,
      Task<?> task,
      Adapters adapters,
      Optimizer optimizer,
      AdapterState state,
      Anatomy anatomy,
      LossScale lossScale,
      Tracker tracker,
      Optional<Previews> previews,
      Sensors sensors,
      StopSignal stop,
      Runnable reset,
      int total,
      int until) {}

  /** Records that a line names. */
  private static final int MOST_RECORDS = 3;

  private final Parts run;
  private final TrainConfig config;
  private final String yaml;
  private final RunIdentity identity;
  private final LiveDoctor doctor;
  private final RunRequests requests;
  private Progress progress;
  private int savedAt;

  /**
   * @param from where the run stands
   */
  public RunLoop(Parts run, LiveDoctor doctor, Checkpoint from) {
    this.run = run;
    this.config = run.config();
    this.yaml = ConfigReader.toYaml(config);
    this.identity = from.identity();
    this.doctor = doctor;
    this.progress = from.progress();
    this.savedAt = from.step();
    requests = new RunRequests(run.folder().root());
    requests.clear();
  }

  private static boolean due(int step, int every) {
    return every > 0 && step % every == 0;
  }

  @Override
  public double rateFactor() {
    return progress.rateFactor();
  }

  private boolean wantsValidation(int step) {
    int every = config.evalSteps() > 0 ? config.evalSteps() : run.task().measureEvery(run.total());
    return due(step, every) || step == run.total();
  }

  @Override
  public void beforeUpdate(int step) {
    if (wantsValidation(step)) {
      run.anatomy().beforeUpdate(run.lossScale().factor());
    }
  }

  private boolean isLast(int step) {
    return step == run.total() || isOver();
  }

  /** Whether the validation loss has been no better for so long that the run is over. */
  public boolean isOver() {
    return config.earlyStop() > 0 && progress.sinceBest() >= config.earlyStop();
  }

  public int bestStep() {
    return progress.bestStep();
  }

  /** What the untouched model shows, before the first step. */
  public void beforeSteps(Measurement measured) throws IOException {
    if (!measured.isEmpty()) {
      record(0, measured);
      Tracker.describe(measured).ifPresent(losses -> log.info("before training: {}", losses));
    }
    if (run.previews().isPresent()) {
      preview(0, run.previews().get());
    }
  }

  private void record(int step, Measurement measured) throws IOException {
    doctor.add(step, run.tracker().measured(step, measured));
    doctor.add(step, measured);
  }

  @Override
  public boolean afterStep(Tracker.Step step, Supplier<Measurement> measuring) throws IOException {
    int now = step.step();
    Measurement measured = Measurement.NONE;
    if (wantsValidation(now)) {
      try {
        measured = measuring.get();
      } catch (StoppedException e) {
        log.info("The measurement after step {} was not finished; --resume makes it again.", now);
        progress = progress.owing(true);
      }
    }
    Map<String, Double> extra = new LinkedHashMap<>(run.sensors().news());
    if (wantsValidation(now)) {
      extra.putAll(layers(now));
    }
    run.optimizer().scalars(run.state()).forEach((name, x) -> extra.put("optimizer/" + name, x));
    doctor.add(now, run.tracker().step(step, measured, extra));
    if (!measured.isEmpty()) {
      run.tracker().hardest(run.task()::pieces);
    }
    log.debug("step {} loss {} lr {} grad_norm {}", now, step.loss(), step.rate(), step.gradNorm());
    doctor.add(now, measured);
    return !progress.owesMeasurement() && follow(now, measured);
  }

  /** Whether the run was stopped between the last step and its measurement. */
  public boolean owesMeasurement() {
    return progress.owesMeasurement();
  }

  /** Makes up for the measurement that is owed; returns false to stop. */
  public boolean makeUp(int step, Supplier<Measurement> measuring) throws IOException {
    Measurement measured;
    try {
      measured = measuring.get();
    } catch (StoppedException e) {
      return false; // it is owed still
    }
    record(step, measured);
    progress = progress.owing(false);
    boolean goesOn = follow(step, measured);
    save(step); // that it is made
    return goesOn;
  }

  /** What follows from a step and its measurement; returns false to stop. */
  private boolean follow(int now, Measurement measured) throws IOException {
    Tracker.describe(measured).ifPresent(losses -> log.info("step {}: {}", now, losses));
    Optional.ofNullable(measured.losses().get("val")).ifPresent(l -> measured(now, l));
    boolean asked = requests.take(RunRequests.Request.SAMPLE);
    if (run.previews().isPresent() && (due(now, config.sampleSteps()) || asked)) {
      preview(now, run.previews().get());
    } else if (asked) {
      log.warn("Previews were asked for, but the run has none (sample_steps, sample_prompts).");
    }
    if (doctor.isDue(now)) {
      consult(now);
    }
    if (requests.take(RunRequests.Request.SAVE) || due(now, config.saveSteps()) || isLast(now)) {
      save(now);
    }
    boolean there = now == run.until() && now < run.total();
    if (requests.take(RunRequests.Request.STOP)) {
      log.info("Stopping, as {} asks.", run.folder().root().resolve(RunRequests.FOLDER));
      run.stop().set();
    }
    return !run.stop().isSet() && !isOver() && !there;
  }

  /** Looks at the adapters after a step; returns its points by tag. */
  private Map<String, Double> layers(int step) {
    LayerLog.At at = run.anatomy().afterUpdate(step);
    run.tracker().layers(at);
    doctor.add(at);
    Map<String, Double> points = new LinkedHashMap<>();
    points.put(
        "adapter/dead_layers",
        (double) run.adapters().dead(run.state().numbers(AdapterState.PARAMS)));
    points.putAll(Anatomy.curves(at));
    return points;
  }

  /** Ctrl-C ends it; the step is done all the same. */
  private void preview(int step, Previews previews) throws IOException {
    try (EvaluatedState evaluation = new EvaluatedState(run.optimizer(), run.state())) {
      previews.write(step, run.tracker());
    } catch (StoppedException e) {
      log.info("The previews of step {} were not finished.", step);
    }
  }

  private void consult(int step) {
    LiveDoctor.News examined = doctor.news();
    for (Finding f : examined.withdrawn()) {
      log.info(
          "doctor: no longer {} (said from step {} on: {}).",
          f.symptom().title,
          f.step(),
          f.evidence());
      run.tracker().withdrawn(step, f);
    }
    List<Finding> news = examined.found();
    for (Finding f : isLast(step) ? List.<Finding>of() : news) { // the verdict says it else
      log.warn("doctor: {}", f);
      run.tracker().finding(step, f);
      records((int) f.step()).ifPresent(r -> log.info("doctor: {}", r));
    }
    Optional<Finding> climbing = LiveDoctor.climbing(news);
    if (climbing.isPresent() && canRollBack()) {
      Finding f = climbing.get();
      throw new TrainingDivergedException(
          String.format("From step %d on %s.", f.step(), f.evidence()), (int) f.step(), step);
    }
  }

  /** The records of a step that a finding is about, the hardest first, for people. */
  private Optional<String> records(int step) {
    List<RecordLoss> hardest = run.tracker().hardest(step);
    if (hardest.isEmpty()) {
      return Optional.empty();
    }
    log.debug("records of step {}: {}", step, hardest);
    return Optional.of(
        hardest.stream()
            .limit(MOST_RECORDS)
            .map(
                r ->
                    String.format("%s (loss %.4g", r.record(), r.loss())
                        + run.task()
                            .item(r.record(), r.worst())
                            .map(token -> ", most at the token \"" + token.strip() + "\")")
                            .orElse(")"))
            .collect(
                Collectors.joining(", ", "records of step " + step + ", hardest first: ", ".")));
  }

  /** What the whole run showed. */
  public void verdict(int step) {
    for (Finding f : doctor.examine()) {
      log.info("doctor: {}", f);
      run.tracker().finding(step, f);
    }
  }

  private void measured(int step, double loss) {
    progress = progress.measured(step, loss);
    if (progress.bestStep() != step) {
      return;
    }
    try {
      run.folder()
          .saveBest(
              partial ->
                  run.task().export(partial, EvaluatedState.params(run.optimizer(), run.state())));
      log.debug("best so far: step {}, validation loss {}", step, loss);
    } catch (IOException | UncheckedIOException e) {
      log.warn("The best adapter could not be written ({}); training goes on.", e.getMessage());
    }
  }

  /** A checkpoint that cannot be written leaves those before, and training goes on. */
  private void save(int step) {
    try {
      write(step);
    } catch (IOException | UncheckedIOException e) {
      log.warn(
          "The checkpoint of step {} could not be written ({}); {}.",
          step,
          e.getMessage(),
          savedAt > 0 ? "that of step " + savedAt + " stays" : "there is none yet");
      return;
    }
    try {
      run.folder().pruneCheckpoints(config.keepCheckpoints());
    } catch (IOException e) {
      log.warn("An old checkpoint could not be deleted ({}).", e.getMessage());
    }
  }

  private void write(int step) throws IOException {
    Checkpoint checkpoint = new Checkpoint(step, identity, run.lossScale().state(), progress);
    run.folder()
        .saveCheckpoint(
            step,
            partial -> checkpoint.write(partial, run.optimizer(), run.state(), run.task(), yaml));
    savedAt = step;
    log.debug("checkpoint at step {}", step);
  }

  /**
   * Saves the last step if no checkpoint has it.
   *
   * @return the step that {@code --resume} will continue from
   */
  public int saveLast(int step) {
    if (step > savedAt) {
      save(step);
    }
    return savedAt;
  }

  private boolean canRollBack() {
    return config.onDivergence().equals(TrainConfig.ROLLBACK)
        && progress.rollbacks() < config.maxRollbacks();
  }

  /**
   * Goes back to the newest checkpoint from before the trouble, or to the beginning, with half the
   * learning rate; further back each time that the same trouble comes again.
   *
   * @return the step that it was written after
   * @throws TrainingDivergedException the given one, if the run is not to go back
   */
  public int rollBack(TrainingDivergedException trouble) throws IOException {
    run.tracker().diverged(trouble);
    if (!canRollBack()) {
      throw trouble;
    }
    Optional<RunFolder.Saved> good = run.folder().newestWhole(progress.limit(trouble));
    run.reset().run();
    good.ifPresent(g -> Checkpoint.restore(g.folder(), run.state(), identity));
    Checkpoint checkpoint =
        good.map(RunFolder.Saved::checkpoint).orElse(Checkpoint.start(identity));
    progress = checkpoint.progress().rolledBack(progress, trouble, checkpoint.step());
    run.lossScale().restore(checkpoint.lossScale());
    log.warn(
        "{} Back to step {} with the learning rate times {} (rollback {} of {}).",
        trouble.getMessage(),
        checkpoint.step(),
        progress.rateFactor(),
        progress.rollbacks(),
        config.maxRollbacks());
    run.tracker().rewind(checkpoint.step(), trouble.at());
    doctor.rewind(checkpoint.step());
    try {
      // First the lower rate, then the way back: a kill in between leads here again.
      write(checkpoint.step());
      run.folder().dropCheckpointsAfter(checkpoint.step());
    } catch (IOException | UncheckedIOException e) {
      log.warn("The checkpoints could not be brought in order ({}).", e.getMessage());
    }
    return checkpoint.step();
  }
}
