package org.loranative.lora;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.LoraOps;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.graph.ops.AdamW;
import org.loranative.graph.ops.AdamW8bit;
import org.loranative.graph.ops.GlobalNorm;
import org.loranative.io.DType;

/**
 * The one allocation of everything that lives as long as a run: adapters, and when training their
 * gradients and AdamW's two moments, all in {@link Adapters}' layout, and {@link StepState}.
 */
public final class AdapterState implements AutoCloseable {
  /** What there is beside the adapters. */
  public enum Moments {
    /** Nothing: no training. */
    NONE,
    F32,
    /** 8 bits in blocks, see {@link AdamW8bit}. */
    BITS_8;

    /** Those of an optimizer, as the configuration names it. */
    public static Moments of(String optimizer) {
      return optimizer.equals("adamw8bit") ? BITS_8 : F32;
    }
  }

  /** The flat buffers. */
  public enum Buffer {
    PARAMS,
    GRADS,
    FIRST_MOMENT,
    SECOND_MOMENT,
    FIRST_SCALE,
    SECOND_SCALE,
    /** What moments of 8 bits stand for: the same in every run. */
    CODES
  }

  /** A buffer's place in the allocation. */
  private record Place(DType dtype, long size, long offset) {
    long bytes() {
      return dtype.bytes(size);
    }
  }

  private static final int CODES = 256;

  private final Device device;
  private final Adapters adapters;
  private final Map<Buffer, Place> places;
  private final Memory memory;
  private final Map<String, Long> addresses = new HashMap<>();
  private final HostBuffer step = new HostBuffer(StepState.BYTES);

  public AdapterState(Device device, Adapters adapters, Moments moments) {
    this.device = device;
    this.adapters = adapters;
    this.places = places(adapters, moments);
    this.memory = device.allocate(bytes(adapters, moments));
    addresses.put("step", memory.address());
    places.forEach((b, place) -> addresses.put(b.name(), memory.address() + place.offset()));
    for (Adapters.Module m : adapters.modules()) {
      address(m, Buffer.PARAMS, "");
      if (moments != Moments.NONE) {
        address(m, Buffer.GRADS, ".grad");
      }
    }
    if (moments == Moments.BITS_8) {
      float[] both = new float[CODES];
      float[] positive = new float[CODES];
      LoraOps.ln_dynamic_codes(both, positive);
      float[] codes = Arrays.copyOf(both, 2 * CODES);
      System.arraycopy(positive, 0, codes, CODES, CODES);
      write(Buffer.CODES, codes);
    }
  }

  private void address(Adapters.Module m, Buffer buffer, String suffix) {
    long start = addresses.get(buffer.name());
    addresses.put(m.path() + ".lora_A" + suffix, start + m.aOffset() * 4);
    addresses.put(m.path() + ".lora_B" + suffix, start + m.bOffset() * 4);
  }

  private static Map<Buffer, Place> places(Adapters adapters, Moments moments) {
    long n = adapters.floats();
    long blocks = (n + AdamW8bit.BLOCK - 1) / AdamW8bit.BLOCK;
    Map<Buffer, Place> places = new EnumMap<>(Buffer.class);
    long at = StepState.BYTES;
    at = place(places, Buffer.PARAMS, DType.F32, n, at);
    if (moments == Moments.NONE) {
      return places;
    }
    at = place(places, Buffer.GRADS, DType.F32, n, at);
    DType type = moments == Moments.F32 ? DType.F32 : DType.U8;
    at = place(places, Buffer.FIRST_MOMENT, type, n, at);
    at = place(places, Buffer.SECOND_MOMENT, type, n, at);
    if (moments == Moments.BITS_8) {
      at = place(places, Buffer.FIRST_SCALE, DType.F32, blocks, at);
      at = place(places, Buffer.SECOND_SCALE, DType.F32, blocks, at);
      place(places, Buffer.CODES, DType.F32, 2 * CODES, at);
    }
    return places;
  }

  private static long place(
      Map<Buffer, Place> places, Buffer buffer, DType dtype, long size, long at) {
    Place place = new Place(dtype, size, at);
    places.put(buffer, place);
    return at + (place.bytes() + 63) / 64 * 64;
  }

  /** Bytes the allocation takes. */
  public static long bytes(Adapters adapters, Moments moments) {
    return places(adapters, moments).values().stream()
        .mapToLong(p -> p.offset() + p.bytes())
        .max()
        .orElseThrow();
  }

  /** A whole buffer as one value, for ops over all adapters. */
  private static Value flat(Graph g, Map<Buffer, Place> places, Buffer buffer) {
    Place place = places.get(buffer);
    return g.named(Kind.STATE, buffer.name(), place.dtype(), Shape.of(place.size()));
  }

  /** An optimizer step over all adapters: norm, clip, AdamW at each one's rate. */
  public static Graph update(
      Adapters adapters, Moments moments, AdamW.Setting setting, float maxGradNorm) {
    Graph g = new Graph();
    Map<Buffer, Place> places = places(adapters, moments);
    Value params = flat(g, places, Buffer.PARAMS);
    Value grads = flat(g, places, Buffer.GRADS);
    Value m = flat(g, places, Buffer.FIRST_MOMENT);
    Value v = flat(g, places, Buffer.SECOND_MOMENT);
    Value clip = GlobalNorm.of(g, grads, maxGradNorm);
    for (Adapters.Range r : adapters.ranges()) {
      AdamW.Range range = new AdamW.Range(r.from(), r.size(), (float) r.rate());
      if (m.dtype() == DType.F32) {
        AdamW.of(g, params, grads, m, v, clip, range, setting);
      } else {
        AdamW8bit.of(
            g,
            params,
            grads,
            new AdamW8bit.Moments(
                m,
                v,
                flat(g, places, Buffer.FIRST_SCALE),
                flat(g, places, Buffer.SECOND_SCALE),
                flat(g, places, Buffer.CODES)),
            clip,
            range,
            setting);
      }
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

  /** The buffers that a run cannot do without when it goes on: all but gradients and codes. */
  public Map<Buffer, DType> kept() {
    Map<Buffer, DType> kept = new EnumMap<>(Buffer.class);
    places.forEach((buffer, place) -> kept.put(buffer, place.dtype()));
    kept.remove(Buffer.GRADS);
    kept.remove(Buffer.CODES);
    return kept;
  }

  /** Zeroes gradients and moments, as at the beginning of a run. */
  public void clear() {
    places.forEach(
        (buffer, place) -> {
          if (buffer != Buffer.PARAMS && buffer != Buffer.CODES) {
            device.fill(addresses.get(buffer.name()), 0, place.bytes());
          }
        });
  }

  /** A buffer as it lies, little-endian. */
  public ByteBuffer readBytes(Buffer buffer) {
    long bytes = places.get(buffer).bytes();
    ByteBuffer copy = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    try (HostBuffer host = new HostBuffer(bytes)) {
      device.download(host, addresses.get(buffer.name()), bytes);
      copy.put(host.view().limit(copy.capacity())).flip();
    }
    return copy;
  }

  /** Overwrites a buffer with as many bytes as it has. */
  public void writeBytes(Buffer buffer, ByteBuffer bytes) {
    assert bytes.remaining() == places.get(buffer).bytes();
    try (HostBuffer host = new HostBuffer(bytes.remaining())) {
      host.view().put(bytes.duplicate());
      device.upload(addresses.get(buffer.name()), host, bytes.remaining());
    }
  }

  public float[] read(Buffer buffer) {
    FloatBuffer bytes = readBytes(buffer).asFloatBuffer();
    float[] flat = new float[bytes.remaining()];
    bytes.get(flat);
    return flat;
  }

  public void write(Buffer buffer, float[] flat) {
    ByteBuffer bytes = ByteBuffer.allocate(flat.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(flat);
    writeBytes(buffer, bytes);
  }

  @Override
  public void close() {
    memory.close();
    step.close();
  }
}
