package org.loranative.lora;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.StepState;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;

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

  /** Bytes of a slot that are moved at once. */
  private static final long PIECE_BYTES = (long) Numbers.PIECE * Float.BYTES;

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
  public void begin(Numbers params) {
    write(PARAMS, params);
    places.values().stream()
        .map(Place::slot)
        .filter(slot -> !slot.name().equals(PARAMS))
        .forEach(this::start);
  }

  private void start(Slot slot) {
    if (slot.start() instanceof Slot.Start.Numbers numbers) {
      write(slot.name(), Numbers.of(numbers.values()));
    } else if (slot.start() instanceof Slot.Start.Integers integers) {
      try (HostBuffer host = new HostBuffer(slot.bytes())) {
        host.view().asIntBuffer().put(integers.values());
        device.upload(addresses.get(slot.name()), host, slot.bytes());
      }
    } else if (slot.start() instanceof Slot.Start.Parameters) {
      copy(slot.name(), PARAMS);
    } else if (slot.start() instanceof Slot.Start.Zeros) {
      clear(slot.name());
    }
  }

  /** Sets a slot to zeros. */
  public void clear(String name) {
    device.fill(addresses.get(name), 0, slot(name).bytes());
  }

  /** Makes a slot what another one of its size is. */
  public void copy(String to, String from) {
    assert slot(to).bytes() == slot(from).bytes() : to + " and " + from;
    device.copy(addresses.get(to), addresses.get(from), slot(from).bytes());
    written(to);
  }

  private Slot slot(String name) {
    return places.get(name).slot();
  }

  /** A slot's numbers, read from the device when they are asked for. */
  public Numbers numbers(String name) {
    assert slot(name).dtype() == DType.F32 : name;
    long address = addresses.get(name);
    long size = slot(name).size();
    return new Numbers() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public void read(long from, float[] to, int at, int count) {
        Objects.checkFromIndexSize(from, count, size);
        try (HostBuffer host = new HostBuffer(Float.BYTES * (long) Math.min(count, PIECE))) {
          for (int done = 0; done < count; done += PIECE) {
            int n = Math.min(count - done, PIECE);
            device.download(host, address + (from + done) * Float.BYTES, (long) n * Float.BYTES);
            host.view().asFloatBuffer().get(to, at + done, n);
          }
        }
      }
    };
  }

  /** Overwrites a slot. */
  public void write(String name, Numbers numbers) {
    if (numbers.size() != slot(name).size()) {
      throw new IllegalArgumentException(name + ": " + numbers.size() + " numbers");
    }
    long address = addresses.get(name);
    try (HostBuffer host =
        new HostBuffer(Float.BYTES * Math.min(numbers.size(), (long) Numbers.PIECE))) {
      numbers.inPieces(
          (from, piece, count) -> {
            host.view().asFloatBuffer().put(piece, 0, count);
            device.upload(address + from * Float.BYTES, host, (long) count * Float.BYTES);
          });
    }
    written(name);
  }

  private void written(String name) {
    if (name.equals(PARAMS)) {
      rounded.make(device, addresses);
    }
  }

  /** A slot as it lies, for a file. */
  public TensorStream stream(Slot slot) {
    return new TensorStream(
        slot.name(),
        slot.dtype().name(),
        List.of(slot.size()),
        slot.bytes(),
        out -> {
          byte[] piece = new byte[(int) Math.min(PIECE_BYTES, slot.bytes())];
          try (HostBuffer host = new HostBuffer(piece.length)) {
            for (long at = 0; at < slot.bytes(); at += piece.length) {
              int n = (int) Math.min(piece.length, slot.bytes() - at);
              device.download(host, addresses.get(slot.name()) + at, n);
              host.view().get(piece, 0, n);
              out.write(piece, 0, n);
            }
          }
        });
  }

  /** Overwrites a slot with a file's tensor of its type and size. */
  public void restore(Slot slot, TensorEntry tensor) {
    assert tensor.bytes() == slot.bytes() : slot.name();
    try (HostBuffer host = new HostBuffer(Math.min(PIECE_BYTES, slot.bytes()));
        FileChannel file = FileChannel.open(tensor.file())) {
      for (long at = 0; at < slot.bytes(); ) {
        ByteBuffer piece = host.view();
        piece.limit((int) Math.min(piece.capacity(), slot.bytes() - at));
        int n = file.read(piece, tensor.offset() + at);
        if (n < 0) {
          throw new UserException(tensor.file() + " was cut off while it was read.");
        }
        device.upload(addresses.get(slot.name()) + at, host, n);
        at += n;
      }
    } catch (IOException e) {
      throw new UserException(
          tensor.file() + " cannot be read: " + UserException.reason(e) + ".", e);
    }
    written(slot.name());
  }

  @Override
  public void close() {
    memory.close();
    step.close();
  }
}
