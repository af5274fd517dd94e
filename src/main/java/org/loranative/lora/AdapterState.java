package org.loranative.lora;

import java.util.HashMap;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.graph.ops.AdamW;
import org.loranative.graph.ops.GlobalNorm;
import org.loranative.io.DType;

/**
 * The one allocation of everything that lives as long as a run: adapters, and when training their
 * gradients and AdamW's two moments, all in {@link Adapters}' layout, and {@link StepState}.
 */
public final class AdapterState implements AutoCloseable {
  /** The flat buffers. */
  public enum Buffer {
    PARAMS,
    GRADS,
    FIRST_MOMENT,
    SECOND_MOMENT
  }

  private final Device device;
  private final Adapters adapters;
  private final Memory memory;
  private final Map<String, Long> addresses = new HashMap<>();
  private final HostBuffer step = new HostBuffer(StepState.BYTES);

  public AdapterState(Device device, Adapters adapters, boolean training) {
    this.device = device;
    this.adapters = adapters;
    this.memory = device.allocate(bytes(adapters, training));
    addresses.put("step", memory.address());
    long base = memory.address() + StepState.BYTES;
    for (Buffer b : training ? Buffer.values() : new Buffer[] {Buffer.PARAMS}) {
      addresses.put(b.name(), base + b.ordinal() * adapters.floats() * 4);
    }
    for (Adapters.Module m : adapters.modules()) {
      addresses.put(m.path() + ".lora_A", base + m.aOffset() * 4);
      addresses.put(m.path() + ".lora_B", base + m.bOffset() * 4);
      if (training) {
        long grads = addresses.get(Buffer.GRADS.name());
        addresses.put(m.path() + ".lora_A.grad", grads + m.aOffset() * 4);
        addresses.put(m.path() + ".lora_B.grad", grads + m.bOffset() * 4);
      }
    }
  }

  /** Bytes the allocation takes. */
  public static long bytes(Adapters adapters, boolean training) {
    return StepState.BYTES + adapters.floats() * 4 * (training ? Buffer.values().length : 1);
  }

  /** A whole buffer as one value, for ops over all adapters. */
  private static Value flat(Graph g, Adapters adapters, Buffer buffer) {
    return g.named(Kind.STATE, buffer.name(), DType.F32, Shape.of(adapters.floats()));
  }

  /** An optimizer step over all adapters: norm, clip, AdamW at each one's rate. */
  public static Graph update(Adapters adapters, AdamW.Setting setting, float maxGradNorm) {
    Graph g = new Graph();
    Value grads = flat(g, adapters, Buffer.GRADS);
    Value clip = GlobalNorm.of(g, grads, maxGradNorm);
    for (Adapters.Range range : adapters.ranges()) {
      AdamW.of(
          g,
          flat(g, adapters, Buffer.PARAMS),
          grads,
          flat(g, adapters, Buffer.FIRST_MOMENT),
          flat(g, adapters, Buffer.SECOND_MOMENT),
          clip,
          new AdamW.Range(range.from(), range.size(), (float) range.rate()),
          setting);
    }
    return g;
  }

  /** Whether {@code v} lives here. */
  public boolean holds(Value v) {
    return addresses.containsKey(v.name());
  }

  public long address(Value v) {
    return addresses.get(v.name());
  }

  public void writeStep(StepState state) {
    state.write(step.view());
    device.upload(addresses.get("step"), step, StepState.BYTES);
  }

  public float[] read(Buffer buffer) {
    float[] flat = new float[Math.toIntExact(adapters.floats())];
    try (HostBuffer host = new HostBuffer(flat.length * 4L)) {
      device.download(host, addresses.get(buffer.name()), flat.length * 4L);
      host.view().asFloatBuffer().get(flat);
    }
    return flat;
  }

  public void write(Buffer buffer, float[] flat) {
    assert flat.length == adapters.floats();
    try (HostBuffer host = new HostBuffer(flat.length * 4L)) {
      host.view().asFloatBuffer().put(flat);
      device.upload(addresses.get(buffer.name()), host, flat.length * 4L);
    }
  }

  @Override
  public void close() {
    memory.close();
    step.close();
  }
}
