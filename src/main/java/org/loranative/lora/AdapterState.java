package org.loranative.lora;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/**
 * The one allocation of everything that lives as long as a run: adapters in {@link Adapters}'
 * layout, the copies of them that products in 16 bits read ({@link RoundedParts}), and when
 * training their gradients, likewise, and the optimizer's slots; and {@link StepState}. Copies
 * follow whatever is written to the adapters here, and each {@link #appendCopies step}.
 */
public final class AdapterState implements AutoCloseable {
  /** The adapters' numbers. */
  public static final String PARAMS = "params";

  /** Their gradients. */
  public static final String GRADS = "grads";

  /** A slot's place in the allocation. */
  private record Place(Slot slot, long offset) {}

  private final Device device;
  private final Map<String, Place> places;
  private final Memory memory;
  private final Map<String, Long> addresses = new HashMap<>();
  private final HostBuffer step = new HostBuffer(StepState.BYTES);
  private final RoundedParts rounded;

  /**
   * For use without training.
   *
   * @param compute dtype of the products that read the adapters
   */
  public AdapterState(Device device, Adapters adapters, DType compute) {
    this(device, adapters, compute, places(held(adapters, compute)));
  }

  /**
   * For training.
   *
   * @param compute dtype of the products that read the adapters
   * @param slots of the optimizer
   */
  public AdapterState(Device device, Adapters adapters, DType compute, List<Slot> slots) {
    this(device, adapters, compute, places(training(adapters, compute, slots)));
  }

  private AdapterState(Device device, Adapters adapters, DType compute, Map<String, Place> places) {
    this.device = device;
    this.places = places;
    this.rounded = new RoundedParts(adapters, compute);
    this.memory = device.allocate(bytes(places));
    addresses.put("step", memory.address());
    places.forEach((name, place) -> addresses.put(name, memory.address() + place.offset()));
    for (Adapters.Module m : adapters.modules()) {
      address(m, PARAMS, "");
      if (places.containsKey(GRADS)) {
        address(m, GRADS, ".grad");
      }
    }
    rounded
        .bytes()
        .forEach((name, at) -> addresses.put(name, addresses.get(RoundedParts.NAME) + at));
    places.values().stream().map(Place::slot).filter(s -> !s.kept()).forEach(this::start);
  }

  private void address(Adapters.Module m, String slot, String suffix) {
    long start = addresses.get(slot);
    for (Adapters.Place p : m.parts()) {
      addresses.put(m.path() + "." + p.part().name() + suffix, start + p.offset() * 4);
    }
  }

  private static Slot params(Adapters adapters) {
    return Slot.zeros(PARAMS, DType.F32, adapters.floats());
  }

  private static List<Slot> held(Adapters adapters, DType compute) {
    List<Slot> all = new ArrayList<>(List.of(params(adapters)));
    all.addAll(new RoundedParts(adapters, compute).slots());
    return all;
  }

  private static List<Slot> training(Adapters adapters, DType compute, List<Slot> slots) {
    List<Slot> all = held(adapters, compute);
    all.add(new Slot(GRADS, DType.F32, adapters.floats(), new Slot.Start.Zeros(), false));
    all.addAll(slots);
    return all;
  }

  private static Map<String, Place> places(List<Slot> slots) {
    Map<String, Place> places = new LinkedHashMap<>();
    long at = StepState.BYTES;
    for (Slot slot : slots) {
      places.put(slot.name(), new Place(slot, at));
      at += (slot.bytes() + 63) / 64 * 64;
    }
    return places;
  }

  private static long bytes(Map<String, Place> places) {
    return places.values().stream()
        .mapToLong(p -> p.offset() + p.slot().bytes())
        .max()
        .orElseThrow();
  }

  /** Bytes that the allocation takes without training. */
  public static long bytes(Adapters adapters, DType compute) {
    return bytes(places(held(adapters, compute)));
  }

  /** Bytes that it takes when training. */
  public static long bytes(Adapters adapters, DType compute, List<Slot> slots) {
    return bytes(places(training(adapters, compute, slots)));
  }

  /** A whole slot as one value, for ops over all adapters. */
  public static Value value(Graph g, Slot slot) {
    return g.named(Kind.STATE, slot.name(), slot.dtype(), Shape.of(slot.size()));
  }

  /** Likewise {@link #PARAMS} or {@link #GRADS}. */
  public static Value value(Graph g, String name, Adapters adapters) {
    return g.named(Kind.STATE, name, DType.F32, Shape.of(adapters.floats()));
  }

  /** Ends the graph of a step: what products in 16 bits read follows the adapters. */
  public static void appendCopies(Graph g, Adapters adapters, DType compute) {
    new RoundedParts(adapters, compute).append(g, value(g, PARAMS, adapters));
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

  /** What a run cannot do without when it goes on: the adapters and most slots. */
  public List<Slot> kept() {
    return places.values().stream().map(Place::slot).filter(Slot::kept).toList();
  }

  /** The beginning of a run that starts from {@code params}. */
  public void begin(float[] params) {
    write(PARAMS, params);
    places.values().stream()
        .map(Place::slot)
        .filter(slot -> !slot.name().equals(PARAMS))
        .forEach(this::start);
  }

  private void start(Slot slot) {
    if (slot.start() instanceof Slot.Start.Numbers numbers) {
      write(slot.name(), numbers.values());
    } else if (slot.start() instanceof Slot.Start.Integers integers) {
      ByteBuffer bytes =
          ByteBuffer.allocate(integers.values().length * 4).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asIntBuffer().put(integers.values());
      writeBytes(slot.name(), bytes);
    } else if (slot.start() instanceof Slot.Start.Parameters) {
      writeBytes(slot.name(), readBytes(PARAMS));
    } else if (slot.start() instanceof Slot.Start.Zeros) {
      device.fill(addresses.get(slot.name()), 0, slot.bytes());
    }
  }

  /** Sets a slot to zeros. */
  public void clear(String name) {
    device.fill(addresses.get(name), 0, places.get(name).slot().bytes());
  }

  /** A slot as it lies, little-endian. */
  public ByteBuffer readBytes(String name) {
    long bytes = places.get(name).slot().bytes();
    ByteBuffer copy = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    try (HostBuffer host = new HostBuffer(bytes)) {
      device.download(host, addresses.get(name), bytes);
      copy.put(host.view().limit(copy.capacity())).flip();
    }
    return copy;
  }

  /** Overwrites a slot with as many bytes as it has. */
  public void writeBytes(String name, ByteBuffer bytes) {
    assert bytes.remaining() == places.get(name).slot().bytes();
    try (HostBuffer host = new HostBuffer(bytes.remaining())) {
      host.view().put(bytes.duplicate());
      device.upload(addresses.get(name), host, bytes.remaining());
    }
    if (name.equals(PARAMS)) {
      rounded.make(device, addresses);
    }
  }

  public float[] read(String name) {
    FloatBuffer bytes = readBytes(name).asFloatBuffer();
    float[] flat = new float[bytes.remaining()];
    bytes.get(flat);
    return flat;
  }

  public void write(String name, float[] flat) {
    ByteBuffer bytes = ByteBuffer.allocate(flat.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(flat);
    writeBytes(name, bytes);
  }

  @Override
  public void close() {
    memory.close();
    step.close();
  }
}
