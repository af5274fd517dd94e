package org.loranative.lora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.loranative.UserException;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.LoraLinear;
import org.loranative.io.DType;
import org.loranative.random.Philox;

/**
 * The adapted modules of a model and where each one's A and B lie in one flat f32 buffer: the
 * optimizer steps over all of them at once, and gradients and moments have the same layout.
 */
public final class Adapters {
  private static final int ALIGNMENT = 16; // floats: one cache line

  /** A linear layer that could be adapted. */
  public record Target(String path, long in, long out) {}

  /**
   * An adapted module.
   *
   * @param index its place in the model, which names its random streams
   * @param aOffset of A [rank, in] in the flat buffer, in floats; likewise B [out, rank]
   */
  public record Module(
      String path, int index, long in, long out, int rank, long aOffset, long bOffset) {
    public int aSize() {
      return Math.toIntExact(rank * in);
    }

    public int bSize() {
      return Math.toIntExact(rank * out);
    }
  }

  private final LoraSpec spec;
  private final Map<String, Module> modules = new LinkedHashMap<>();
  private final long floats;

  /** No adapter at all: the base model as it is. */
  public static Adapters none() {
    return new Adapters(new LoraSpec(1, 1, 0, List.of(), false), List.of());
  }

  /** Adapts those of {@code candidates} that the spec names; every name must match one. */
  public Adapters(LoraSpec spec, List<Target> candidates) {
    this.spec = spec;
    for (String target : spec.targets()) {
      LoraSpec alone = new LoraSpec(spec.rank(), spec.alpha(), 0, List.of(target), spec.rslora());
      if (candidates.stream().noneMatch(c -> alone.adapts(c.path()))) {
        TreeSet<String> names = new TreeSet<>();
        candidates.forEach(c -> names.add(c.path().substring(c.path().lastIndexOf('.') + 1)));
        throw new UserException(
            "lora_targets: the model has no linear layer \""
                + target
                + "\". It has: "
                + String.join(", ", names)
                + "; all-linear takes them all.");
      }
    }
    long at = 0;
    int index = 0;
    for (Target t : candidates) {
      if (spec.adapts(t.path())) {
        long aSize = align(spec.rank() * t.in());
        modules.put(
            t.path(), new Module(t.path(), index, t.in(), t.out(), spec.rank(), at, at + aSize));
        at += aSize + align(spec.rank() * t.out());
      }
      index++;
    }
    floats = at;
  }

  /**
   * Adapters of given ranks whose product is added as it is (scale 1).
   *
   * @param ranks by path; a path must be a candidate's
   */
  public static Adapters ofRanks(List<Target> candidates, Map<String, Integer> ranks) {
    return new Adapters(candidates, ranks);
  }

  private Adapters(List<Target> candidates, Map<String, Integer> ranks) {
    this.spec = new LoraSpec(1, 1, 0, List.copyOf(ranks.keySet()), false);
    long at = 0;
    for (int i = 0; i < candidates.size(); i++) {
      Target t = candidates.get(i);
      Integer rank = ranks.get(t.path());
      if (rank != null) {
        long bOffset = at + align(rank * t.in());
        modules.put(t.path(), new Module(t.path(), i, t.in(), t.out(), rank, at, bOffset));
        at = bOffset + align(rank * t.out());
      }
    }
    floats = at;
  }

  private static long align(long n) {
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  public LoraSpec spec() {
    return spec;
  }

  public List<Module> modules() {
    return new ArrayList<>(modules.values());
  }

  public Optional<Module> find(String path) {
    return Optional.ofNullable(modules.get(path));
  }

  /** Length of the flat buffer. */
  public long floats() {
    return floats;
  }

  /** Trained numbers, padding left out. */
  public long parameters() {
    return modules.values().stream().mapToLong(m -> m.rank() * (m.in() + m.out())).sum();
  }

  public Value a(Graph g, Module m) {
    return g.named(Kind.PARAM, m.path() + ".lora_A", DType.F32, Shape.of(m.rank(), m.in()));
  }

  public Value b(Graph g, Module m) {
    return g.named(Kind.PARAM, m.path() + ".lora_B", DType.F32, Shape.of(m.out(), m.rank()));
  }

  /** How module {@code m} enters the graph; without dropout when not training. */
  public LoraLinear.Setting setting(Module m, boolean training) {
    return new LoraLinear.Setting(
        (float) spec.scale(), training ? (float) spec.dropout() : 0, Philox.DROPOUT + m.index());
  }

  /** The flat buffer at the start: A ~ U(−1/√in, 1/√in), B = 0 (Kaiming-uniform, a = √5). */
  public float[] initial(long seed) {
    float[] flat = new float[Math.toIntExact(floats)];
    for (Module m : modules.values()) {
      float bound = (float) (1 / Math.sqrt(m.in()));
      for (int i = 0; i < m.aSize(); i += 4) {
        int[] words = Philox.words(seed, i / 4, Philox.LORA_INIT, m.index(), 0);
        for (int j = i; j < Math.min(i + 4, m.aSize()); j++) {
          flat[(int) m.aOffset() + j] = (2 * Philox.uniform(words[j - i]) - 1) * bound;
        }
      }
    }
    return flat;
  }
}
