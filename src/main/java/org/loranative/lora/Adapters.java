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
import org.loranative.graph.ops.ParameterRange;
import org.loranative.io.DType;
import org.loranative.random.Philox;

/**
 * The adapted modules of a model and where each one's A and B lie in one flat f32 buffer: the
 * optimizer steps over all of them at once, and gradients and moments have the same layout.
 */
public final class Adapters {
  private static final int ALIGNMENT = 16; // floats: one cache line
  private static final int RANGE_ALIGNMENT = ParameterRange.ALIGNMENT;

  /**
   * A layer that could be adapted.
   *
   * @param in numbers that one output reads: of a convolution kernel²·channels
   * @param kernel of a convolution, 1 for a linear layer
   */
  public record Target(String path, long in, long out, int kernel) {
    /** A linear layer. */
    public Target(String path, long in, long out) {
      this(path, in, out, 1);
    }
  }

  /**
   * An adapted module.
   *
   * @param index its place in the model, which names its random streams
   * @param aOffset of A [rank, in] in the flat buffer, in floats; likewise B [out, rank]
   */
  public record Module(Target target, int index, LoraSpec spec, long aOffset, long bOffset) {
    public String path() {
      return target.path();
    }

    public long in() {
      return target.in();
    }

    public long out() {
      return target.out();
    }

    public int rank() {
      return spec.rank();
    }

    public double scale() {
      return spec.scale();
    }

    public int aSize() {
      return Math.toIntExact(rank() * in());
    }

    public int bSize() {
      return Math.toIntExact(rank() * out());
    }
  }

  /**
   * A stretch of the flat buffer that learns at one rate.
   *
   * @param from in floats
   * @param rate relative to the run's
   */
  public record Range(long from, long size, double rate) {}

  private final Map<String, Module> modules = new LinkedHashMap<>();
  private final List<Range> ranges = new ArrayList<>();
  private long floats;

  private Adapters() {}

  /** No adapter at all: the base model as it is. */
  public static Adapters none() {
    return new Adapters();
  }

  /** Adapts those of {@code candidates} that the spec names; every name must match one. */
  public Adapters(LoraSpec spec, List<Target> candidates) {
    this(List.of(spec), candidates);
  }

  /** Likewise; a layer that several specs name takes the last. */
  public Adapters(List<LoraSpec> specs, List<Target> candidates) {
    for (int s = 0; s < specs.size(); s++) {
      LoraSpec spec = specs.get(s);
      List<LoraSpec> later = specs.subList(s + 1, specs.size());
      spec.targets().forEach(target -> requireMatch(target, candidates));
      long start = align(floats, RANGE_ALIGNMENT);
      floats = start;
      for (int i = 0; i < candidates.size(); i++) {
        Target t = candidates.get(i);
        if (spec.adapts(t.path()) && later.stream().noneMatch(l -> l.adapts(t.path()))) {
          add(t, i, spec);
        }
      }
      Range before = ranges.isEmpty() ? new Range(0, 0, -1) : ranges.get(ranges.size() - 1);
      if (before.rate() == spec.rate()) {
        ranges.set(
            ranges.size() - 1, new Range(before.from(), floats - before.from(), spec.rate()));
      } else if (floats > start) {
        ranges.add(new Range(start, floats - start, spec.rate()));
      }
    }
  }

  private static void requireMatch(String target, List<Target> candidates) {
    LoraSpec alone = new LoraSpec(1, 1, 0, List.of(target), false);
    if (candidates.stream().noneMatch(c -> alone.adapts(c.path()))) {
      TreeSet<String> names = new TreeSet<>();
      candidates.forEach(c -> names.add(c.path().substring(c.path().lastIndexOf('.') + 1)));
      throw new UserException(
          "lora_targets: the model has no layer \""
              + target
              + "\". It has: "
              + String.join(", ", names)
              + "; all-linear takes them all.");
    }
  }

  /**
   * Adapters of given ranks whose product is added as it is (scale 1).
   *
   * @param ranks by path; a path must be a candidate's
   */
  public static Adapters ofRanks(List<Target> candidates, Map<String, Integer> ranks) {
    Adapters adapters = new Adapters();
    for (int i = 0; i < candidates.size(); i++) {
      Target t = candidates.get(i);
      Integer rank = ranks.get(t.path());
      if (rank != null) {
        adapters.add(t, i, new LoraSpec(rank, rank, 0, List.of(t.path()), false));
      }
    }
    return adapters;
  }

  private void add(Target t, int index, LoraSpec spec) {
    long bOffset = floats + align(spec.rank() * t.in(), ALIGNMENT);
    modules.put(t.path(), new Module(t, index, spec, floats, bOffset));
    floats = bOffset + align(spec.rank() * t.out(), ALIGNMENT);
  }

  private static long align(long n, long unit) {
    return (n + unit - 1) / unit * unit;
  }

  public List<Module> modules() {
    return new ArrayList<>(modules.values());
  }

  public Optional<Module> find(String path) {
    return Optional.ofNullable(modules.get(path));
  }

  /** Stretches that learn at different rates; together they are the flat buffer. */
  public List<Range> ranges() {
    return List.copyOf(ranges);
  }

  /** The specs of its modules, each once. */
  public List<LoraSpec> specs() {
    return modules.values().stream().map(Module::spec).distinct().toList();
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
        (float) m.scale(), training ? (float) m.spec().dropout() : 0, Philox.DROPOUT + m.index());
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
