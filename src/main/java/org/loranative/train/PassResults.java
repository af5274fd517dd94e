package org.loranative.train;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Loss;

/**
 * What the passes over some batches gave, added up: the loss, the objective's further results, and
 * each record's own loss.
 *
 * @param <B> a micro-batch
 */
final class PassResults<B> {
  private final Task<B> task;
  private final Device device;
  private final HostBuffer host;
  private final boolean keepItems;
  private double loss;
  private final Map<String, Double> metrics = new LinkedHashMap<>();
  private final List<RecordLoss> records = new ArrayList<>();

  /**
   * @param host of at least {@link #hostBytes}
   * @param keepItems whether records keep the loss of each of their items
   */
  PassResults(Task<B> task, Device device, HostBuffer host, boolean keepItems) {
    this.task = task;
    this.device = device;
    this.host = host;
    this.keepItems = keepItems;
    task.objective().metrics().forEach(name -> metrics.put(name, 0.0));
  }

  /** What reading a run's plans takes. */
  static long hostBytes(PlanStore plans) {
    long most = 8;
    for (var bounds : List.of(plans.training(), plans.evaluation())) {
      for (PlanStore.Bound bound : bounds.values()) {
        most = Math.max(most, result(bound, Loss.EACH).bytes());
      }
    }
    return most;
  }

  /** A single number that a plan gives. */
  static float read(Device device, HostBuffer host, PlanStore.Bound bound, String result) {
    device.download(host, bound.at().of(result(bound, result)), 4);
    return host.view().getFloat(0);
  }

  private static Value result(PlanStore.Bound bound, String name) {
    return bound.plan().graph().results().stream()
        .filter(r -> r.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** Adds what the plan, which has just run, gave for a batch. */
  void add(B batch, PlanStore.Bound bound) {
    loss += read(device, host, bound, Loss.TOTAL);
    metrics.replaceAll((name, sum) -> sum + read(device, host, bound, name));
    Value each = result(bound, Loss.EACH);
    device.download(host, bound.at().of(each), each.bytes());
    FloatBuffer items = host.view().asFloatBuffer();
    int at = 0;
    for (Task.Record record : task.records(batch)) {
      double sum = 0;
      int worst = at;
      for (int i = at; i < at + record.items(); i++) {
        sum += items.get(i);
        worst = items.get(i) > items.get(worst) ? i : worst;
      }
      double mean = sum / Math.max(1, record.labelled());
      RecordLoss all = new RecordLoss(record.source(), mean, worst - at);
      if (keepItems) {
        float[] own = new float[record.items()];
        items.get(at, own);
        all = new RecordLoss(record.source(), mean, worst - at, own);
      }
      records.add(all);
      at += record.items();
    }
  }

  double loss() {
    return loss;
  }

  Map<String, Double> metrics() {
    return metrics;
  }

  List<RecordLoss> records() {
    return records;
  }
}
