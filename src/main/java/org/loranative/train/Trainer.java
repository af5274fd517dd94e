package org.loranative.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.loranative.StoppedException;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Executor;
import org.loranative.graph.NotFinite;
import org.loranative.graph.StepState;
import org.loranative.lora.AdapterState;
import org.loranative.optim.EvaluatedState;
import org.loranative.optim.LossScale;
import org.loranative.optim.Optimizer;
import org.loranative.optim.Schedule;
import org.loranative.track.Phase;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The training loop. A step gathers its micro-batches first, so that the loss is the mean over the
 * labelled tokens of all of them, however they are split.
 *
 * @param <B> a micro-batch
 */
public final class Trainer<B> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Trainer.class);

  /**
   * @param maxGradNorm 0 for no clipping
   */
  public record Recipe(
      Schedule.Curve schedule, Optimizer optimizer, double maxGradNorm, long seed) {}

  /** What happens between steps; returns false to stop. */
  interface Listener {
    /**
     * @param measuring measures what the task measures; ends early by a {@link StoppedException}
     */
    boolean afterStep(Tracker.Step step, Supplier<Measurement> measuring) throws IOException;

    /** What the learning rate is multiplied by. */
    double rateFactor();

    /** Called when a step's gradients are complete and nothing has moved yet. */
    void beforeUpdate(int step);
  }

  private final Task<B> task;
  private final Steps<B> steps;
  private final Device device;
  private final AdapterState state;
  private final PlanStore plans;
  private final PlanStore.Bound update;
  private final Executor executor;
  private final Recipe recipe;
  private final long memoryBytes;
  private final BatchFeed<B> feed;
  private final LossScale lossScale;
  private final HostBuffer host;

  public Trainer(
      Task<B> task,
      Steps<B> steps,
      Device device,
      AdapterState state,
      PlanStore plans,
      Recipe recipe,
      LossScale lossScale,
      MemoryPlan memory,
      BatchFeed.Sizes batches) {
    this.task = task;
    this.steps = steps;
    this.device = device;
    this.state = state;
    this.plans = plans;
    this.recipe = recipe;
    this.lossScale = lossScale;
    this.memoryBytes = memory.total();
    this.update = plans.update();
    this.executor = new Executor(device, Boolean.getBoolean("loranative.poison"));
    this.feed = new BatchFeed<>(task, device, batches);
    this.host = new HostBuffer(PassResults.hostBytes(plans));
  }

  /** Runs the steps after {@code done}; returns the last step run. One that is stopped is none. */
  public int run(int done, Listener listener) throws IOException {
    Optional<BatchFeed.Ready<B>> next =
        done < steps.total() ? Optional.of(start(done + 1, 0)) : Optional.empty();
    for (int step = done + 1; step <= steps.total(); step++) {
      long start = System.nanoTime();
      List<B> batches = steps.batches(step);
      long labelled = batches.stream().mapToLong(task::labelled).sum();
      double rate = recipe.schedule().at(step) * listener.rateFactor();
      PassResults<B> results = new PassResults<>(task, device, host, true);
      for (int micro = 0; micro < batches.size(); micro++) {
        BatchFeed.Ready<B> ready = next.orElseThrow();
        place(ready, stepState(step, micro, rate, labelled));
        try {
          executor.run(ready.bound().plan(), ready.bound().at());
        } catch (StoppedException e) {
          return step - 1; // nothing of this step has reached the adapters
        }
        next = following(step, micro, batches.size()); // written and copied while this one computes
        results.add(ready.batch(), ready.bound());
        plans.requireWhole();
        if (!Double.isFinite(results.loss())) {
          String what = "the loss is " + results.loss();
          throw diverged(what, step, rate, batches.subList(0, micro + 1), labelled);
        }
      }
      listener.beforeUpdate(step);
      executor.prepare(update.plan(), plans.arena().address());
      executor.runWhole(update.plan(), update.at());
      float gradNorm = PassResults.read(device, host, update, "grad_norm");
      if (!Float.isFinite(gradNorm) && !lossScale.canShrink()) {
        throw diverged("the gradient norm is " + gradNorm, step, rate, batches, labelled);
      }
      if (!Float.isFinite(gradNorm)) {
        log.info(
            "step {}: gradients beyond f16 at loss scale {}; the step is passed over, the scale"
                + " halved.",
            step,
            (long) lossScale.factor());
      }
      lossScale.update(Float.isFinite(gradNorm));
      double seconds = (System.nanoTime() - start) / 1e9;
      long units = batches.stream().mapToLong(task::units).sum();
      Tracker.Step shown =
          new Tracker.Step(
              step,
              (float) results.loss(),
              results.metrics(),
              results.records(),
              rate,
              gradNorm,
              labelled,
              units / seconds,
              seconds * 1e3,
              memoryBytes + device.libraryBytes());
      if (!listener.afterStep(shown, this::measure)) {
        return step;
      }
    }
    return steps.total();
  }

  private BatchFeed.Ready<B> start(int step, int micro) {
    B batch = steps.batches(step).get(micro);
    return feed.training(batch, plans.training().get(task.shape(batch)));
  }

  /** Starts the micro-batch after this one, if the run has one. */
  private Optional<BatchFeed.Ready<B>> following(int step, int micro, int count) {
    if (micro + 1 < count) {
      return Optional.of(start(step, micro + 1));
    }
    return step < steps.total() ? Optional.of(start(step + 1, 0)) : Optional.empty();
  }

  private StepState stepState(int step, int micro, double rate, long labelled) {
    return new StepState(
        recipe.seed(),
        step,
        micro,
        rate,
        recipe.optimizer().hyperparameters().beta1(),
        recipe.optimizer().hyperparameters().beta2(),
        labelled,
        lossScale.factor());
  }

  /** Puts a batch where its plan, which gives "loss", reads it. */
  private void place(BatchFeed.Ready<B> ready, StepState now) {
    state.writeStep(now);
    executor.prepare(ready.bound().plan(), plans.arena().address());
    feed.place(ready);
  }

  /**
   * What the task measures, as the adapters stand.
   *
   * @throws StoppedException if the process is to end; nothing but the measurement is lost by it
   */
  public Measurement measure() {
    List<Task.EvaluationSet<B>> sets = task.evaluationSets();
    int batches = sets.stream().mapToInt(m -> m.batches().size()).sum();
    Phase phase = new Phase("batches measured", batches);
    Measurement.Builder all = new Measurement.Builder();
    try (EvaluatedState evaluation = new EvaluatedState(recipe.optimizer(), state)) {
      for (Task.EvaluationSet<B> m : sets) {
        all.add(m.name(), m.part(), pass(m.batches(), phase));
      }
    }
    phase.end();
    return all.build();
  }

  /** One pass over batches that are measured. */
  private PassResults<B> pass(List<B> batches, Phase phase) {
    long labelled = batches.stream().mapToLong(task::labelled).sum();
    PassResults<B> results = new PassResults<>(task, device, host, false);
    for (B batch : batches) {
      phase.next();
      BatchFeed.Ready<B> ready = feed.evaluation(batch, plans.evaluation().get(task.shape(batch)));
      place(ready, stepState(1, 0, 0, labelled));
      executor.run(ready.bound().plan(), ready.bound().at());
      results.add(batch, ready.bound());
    }
    plans.requireWhole();
    return results;
  }

  /** The first op and layer that made a number of what is none in a step that is given up. */
  private Optional<String> firstNotFinite(int step, double rate, List<B> batches, long labelled) {
    state.clear(AdapterState.GRADS); // they hold what made the trouble
    for (int micro = 0; micro < batches.size(); micro++) {
      B batch = batches.get(micro);
      BatchFeed.Ready<B> ready = feed.training(batch, plans.training().get(task.shape(batch)));
      place(ready, stepState(step, micro, rate, labelled));
      Optional<String> found = NotFinite.firstOp(device, ready.bound().plan(), ready.bound().at());
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private TrainingDivergedException diverged(
      String what, int step, double rate, List<B> batches, long labelled) {
    String first =
        firstNotFinite(step, rate, batches, labelled).map(op -> ", first in " + op).orElse("");
    List<String> records = new ArrayList<>();
    batches.forEach(b -> task.records(b).forEach(r -> records.add(r.source())));
    log.debug("records of step {}: {}", step, records);
    String some =
        String.join(", ", records.subList(0, Math.min(4, records.size())))
            + (records.size() > 4 ? " and " + (records.size() - 4) + " more (train.log)" : "");
    return new TrainingDivergedException(
        String.format(
            "Training stopped at step %d: %s%s. The learning rate was %.3g; halve learning_rate%s."
                + " Records of the step: %s.",
            step,
            what,
            first,
            rate,
            recipe.maxGradNorm() > 0 ? "" : ", or set max_grad_norm: 1.0",
            some),
        step,
        step);
  }

  @Override
  public void close() {
    executor.close();
    feed.close();
    host.close();
  }
}
