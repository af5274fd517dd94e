package org.loranative.train;

import java.io.IOException;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Executor;
import org.loranative.graph.Kind;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.graph.ops.AdamW;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.optim.Schedule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The training loop. A step gathers its micro-batches first, so that the loss is the mean over the
 * labelled tokens of all of them, however they are split.
 *
 * @param <B> a micro-batch
 */
final class Trainer<B> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Trainer.class);

  /**
   * @param maxGradNorm 0 for no clipping
   */
  record Setting(Schedule.Setting schedule, AdamW.Setting adamw, double maxGradNorm, long seed) {}

  /** What happens between steps; returns false to stop. */
  interface Listener {
    boolean afterStep(Tracker.Step step) throws IOException;

    /** Whether the validation loss is wanted after this step. */
    boolean wantsValidation(int step);
  }

  private final Task<B> task;
  private final Steps<B> steps;
  private final Device device;
  private final AdapterState state;
  private final PlanStore plans;
  private final PlanStore.Bound update;
  private final Executor executor;
  private final Setting setting;
  private final long memoryBytes;
  private final Map<String, HostBuffer> inputs = new HashMap<>();
  private final HostBuffer scalar = new HostBuffer(8);

  Trainer(
      Task<B> task,
      Steps<B> steps,
      Device device,
      Adapters adapters,
      AdapterState state,
      PlanStore plans,
      Setting setting,
      long memoryBytes) {
    this.task = task;
    this.steps = steps;
    this.device = device;
    this.state = state;
    this.plans = plans;
    this.setting = setting;
    this.memoryBytes = memoryBytes;
    this.update = plans.update(adapters, setting.adamw(), setting.maxGradNorm());
    this.executor = new Executor(device, Boolean.getBoolean("loranative.poison"));
  }

  /** Runs the steps after {@code done}; returns the last step run. */
  int run(int done, Listener listener) throws IOException {
    for (int step = done + 1; step <= steps.total(); step++) {
      long start = System.nanoTime();
      List<B> batches = steps.batches(step);
      long labelled = batches.stream().mapToLong(task::labelled).sum();
      double rate = setting.schedule().at(step);
      float loss = 0;
      for (int micro = 0; micro < batches.size(); micro++) {
        loss +=
            micro(
                plans.training(task.shape(batches.get(micro))),
                batches.get(micro),
                stepState(step, micro, rate, labelled));
        if (!Float.isFinite(loss)) {
          throw diverged("the loss is " + loss, step, rate, batches.subList(0, micro + 1));
        }
      }
      executor.prepare(update.plan(), plans.arena());
      executor.run(update.plan(), update.at());
      float gradNorm = read(update, "grad_norm");
      if (!Float.isFinite(gradNorm)) {
        throw diverged("the gradient norm is " + gradNorm, step, rate, batches);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      long units = batches.stream().mapToLong(task::units).sum();
      OptionalDouble validation =
          listener.wantsValidation(step) ? validate() : OptionalDouble.empty();
      Tracker.Step shown =
          new Tracker.Step(
              step,
              loss,
              rate,
              gradNorm,
              labelled,
              units / seconds,
              seconds * 1e3,
              memoryBytes + device.libraryBytes(),
              validation);
      if (!listener.afterStep(shown)) {
        return step;
      }
    }
    return steps.total();
  }

  private StepState stepState(int step, int micro, double rate, long labelled) {
    return new StepState(
        setting.seed(),
        step,
        micro,
        rate,
        setting.adamw().beta1(),
        setting.adamw().beta2(),
        labelled);
  }

  /** Runs a plan that gives "loss". */
  private float micro(PlanStore.Bound bound, B batch, StepState now) {
    state.writeStep(now);
    executor.prepare(bound.plan(), plans.arena());
    fill(bound, batch);
    executor.run(bound.plan(), bound.at());
    return read(bound, "loss");
  }

  private void fill(PlanStore.Bound bound, B batch) {
    List<Value> values = new ArrayList<>();
    for (Value v : bound.plan().graph().named().values()) {
      if (v.kind() == Kind.INPUT) {
        values.add(v);
        HostBuffer known = inputs.get(v.name());
        if (known == null || known.view().capacity() < v.bytes()) {
          if (known != null) {
            known.close();
          }
          inputs.put(v.name(), new HostBuffer(v.bytes()));
        }
      }
    }
    task.fill(batch, bound.shape(), name -> intBuffer(inputs.get(name)));
    for (Value v : values) {
      device.upload(bound.at().of(v), inputs.get(v.name()), v.bytes());
    }
  }

  private static IntBuffer intBuffer(HostBuffer host) {
    return host.view().asIntBuffer();
  }

  private float read(PlanStore.Bound bound, String result) {
    Value v =
        bound.plan().graph().results().stream()
            .filter(r -> r.name().equals(result))
            .findFirst()
            .orElseThrow();
    device.download(scalar, bound.at().of(v), 4);
    return scalar.view().getFloat(0);
  }

  /** Mean loss over the validation set; empty without one. */
  OptionalDouble validate() {
    List<B> batches = task.validation();
    if (batches.isEmpty()) {
      return OptionalDouble.empty();
    }
    long labelled = batches.stream().mapToLong(task::labelled).sum();
    double loss = 0;
    for (B batch : batches) {
      loss += micro(plans.evaluation(task.shape(batch)), batch, stepState(1, 0, 0, labelled));
    }
    return OptionalDouble.of(loss);
  }

  private TrainingDivergedException diverged(String what, int step, double rate, List<B> batches) {
    List<String> records = new ArrayList<>();
    batches.forEach(b -> records.addAll(task.describe(b)));
    log.debug("records of step {}: {}", step, records);
    String some =
        String.join(", ", records.subList(0, Math.min(4, records.size())))
            + (records.size() > 4 ? " and " + (records.size() - 4) + " more (train.log)" : "");
    return new TrainingDivergedException(
        String.format(
            "Training stopped at step %d: %s. The learning rate was %.3g; halve learning_rate%s."
                + " Records of the step: %s.",
            step,
            what,
            rate,
            setting.maxGradNorm() > 0 ? "" : ", or set max_grad_norm: 1.0",
            some));
  }

  @Override
  public void close() {
    inputs.values().forEach(HostBuffer::close);
    scalar.close();
  }
}
