package org.loranative.graph;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.StoppedException;
import org.loranative.Stopping;
import org.loranative.device.Device;
import org.loranative.device.DeviceException;
import org.loranative.device.LoraOps;

/**
 * Runs plans. Where the device can, a plan is captured as one graph when it runs again and launched
 * whole from then on. The first run goes kernel by kernel and waits for each, so that one that
 * faults is named; {@code -Dloranative.sync=true} keeps to that. {@code -Dloranative.profile=true}
 * does the same and prints at the end how long each kind of op took.
 */
public final class Executor implements AutoCloseable {
  private static final boolean PROFILE = Boolean.getBoolean("loranative.profile");
  private static final boolean SYNC = PROFILE || Boolean.getBoolean("loranative.sync");

  private final Device device;
  private final boolean poison;

  /** Nanoseconds by op, shapes and dtypes. */
  private final Map<String, Long> profile = new HashMap<>();

  /** The captured graph of each plan at its addresses; 0 of one that has run but once. */
  private final Map<Addresses, Long> captured = new IdentityHashMap<>();

  /**
   * @param poison fill the arena with NaN before each run, so that a value read before it is
   *     written shows; inputs must be uploaded after {@link #prepare}
   */
  public Executor(Device device, boolean poison) {
    this.device = device;
    this.poison = poison;
  }

  /** To be called before inputs are uploaded. */
  public void prepare(Plan plan, long arena) {
    if (poison) {
      device.fill(arena, 0xff, plan.arenaBytes());
    }
  }

  /**
   * Runs every op in order. On a card this may return before they have run.
   *
   * @throws StoppedException between two ops, if the process is to end and the device computes as
   *     it is called; what the plan was to make is then worth nothing
   */
  public void run(Plan plan, Addresses at) {
    run(plan, at, !device.captures());
  }

  /** Runs every op in order, whoever asks to stop: what it changes is kept. */
  public void runWhole(Plan plan, Addresses at) {
    run(plan, at, false);
  }

  private void run(Plan plan, Addresses at, boolean stoppable) {
    if (SYNC || !device.captures() || captured.putIfAbsent(at, 0L) == null) {
      device.watch(true);
      each(plan, at, stoppable);
      device.watch(false);
      return;
    }
    long graph = captured.computeIfPresent(at, (a, known) -> known == 0 ? capture(plan, a) : known);
    device.check(LoraOps.ln_capture_launch(device.handle(), graph));
  }

  private long capture(Plan plan, Addresses at) {
    long[] graph = new long[1];
    device.check(LoraOps.ln_capture_begin(device.handle()));
    try {
      each(plan, at, false);
    } catch (DeviceException e) {
      if (LoraOps.ln_capture_end(device.handle(), graph) == LoraOps.LN_OK) {
        LoraOps.ln_capture_free(device.handle(), graph[0]);
      }
      throw e;
    }
    device.check(LoraOps.ln_capture_end(device.handle(), graph));
    return graph[0];
  }

  private void each(Plan plan, Addresses at, boolean stoppable) {
    int line = 0;
    try {
      for (Op op : plan.ops()) {
        if (stoppable && Stopping.isAsked()) {
          throw new StoppedException("Stopped; --resume goes on.");
        }
        long start = System.nanoTime();
        op.run(device, at);
        if (PROFILE) {
          profile.merge(signature(op), System.nanoTime() - start, Long::sum);
        }
        line++;
      }
    } catch (DeviceException e) {
      Op op = plan.ops().get(line);
      throw new DeviceException(
          String.format("plan line %d (%s of %s): %s", line, op.name(), layer(op), e.getMessage()));
    }
  }

  /** The weight that an op reads, or the first value that it makes: where in a model it stands. */
  private static String layer(Op op) {
    return Stream.of(
            op.inputs().stream().filter(v -> v.kind() == Kind.WEIGHT),
            op.outputs().stream(),
            op.inputs().stream())
        .flatMap(values -> values)
        .map(Value::name)
        .findFirst()
        .orElse("nothing");
  }

  private static String signature(Op op) {
    return op.name()
        + " "
        + op.inputs().stream()
            .map(v -> v.dtype() + "" + v.shape())
            .collect(Collectors.joining(" "));
  }

  private void printProfile() {
    long total = profile.values().stream().mapToLong(Long::longValue).sum();
    System.err.printf("%n%10s %6s  op and its inputs%n", "ms", "share");
    profile.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .forEach(
            e ->
                System.err.printf(
                    "%10.1f %5.1f%%  %s%n",
                    e.getValue() / 1e6, 100.0 * e.getValue() / total, e.getKey()));
  }

  @Override
  public void close() {
    if (PROFILE && !profile.isEmpty()) {
      printProfile();
    }
    captured.values().stream()
        .filter(graph -> graph != 0)
        .forEach(graph -> device.check(LoraOps.ln_capture_free(device.handle(), graph)));
    captured.clear();
  }
}
