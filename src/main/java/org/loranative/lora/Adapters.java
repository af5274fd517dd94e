package org.loranative.lora;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.MatrixRange;
import org.loranative.graph.ops.ParameterRange;
import org.loranative.graph.ops.Routed;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.random.Philox;

/**
 * The adapted modules of a model and where each one's parts lie in one flat f32 buffer: the
 * optimizer steps over all of them at once, and gradients and moments have the same layout.
 */
public final class Adapters {
  private static final int ALIGNMENT = MatrixRange.UNIT; // floats: one cache line
  private static final int RANGE_ALIGNMENT = ParameterRange.ALIGNMENT;

  /**
   * A layer that could be adapted.
   *
   * @param in numbers that one output reads: of a convolution kernel²·channels
   * @param kernel of a convolution, 1 for a linear layer
   * @param experts of a mixture, each of which has a matrix and an adapter of its own here; 0 for a
   *     layer of another kind
   * @param beside the first layer that reads the same input, where others stand between them in the
   *     model's order: what they multiply it by lies together. Else the layer itself
   */
  public record Target(String path, long in, long out, int kernel, int experts, String beside) {
    /** A linear layer. */
    public Target(String path, long in, long out) {
      this(path, in, out, 1);
    }

    public Target(String path, long in, long out, int kernel) {
      this(path, in, out, kernel, 0, path);
    }

    /** The linear layers of a mixture's experts. */
    public static Target ofExperts(String path, long in, long out, int experts) {
      return new Target(path, in, out, 1, experts, path);
    }

    /** A linear layer that reads what another one does. */
    public static Target beside(String other, String path, long in, long out) {
      return new Target(path, in, out, 1, 0, other);
    }
  }

  /**
   * A part's place.
   *
   * @param offset in the flat buffer, in floats
   */
  public record Place(Part part, long offset) {
    public Numbers of(Numbers flat) {
      return flat.slice(offset, part.size());
    }

    Value value(Graph g, Kind kind, String path) {
      return g.named(kind, path + "." + part.name(), DType.F32, part.shape());
    }
  }

  /**
   * An adapted module.
   *
   * @param index its place in the model, which names its random streams
   */
  public record Module(Target target, int index, LoraSpec spec, List<Place> parts) {
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

    public Place part(String name) {
      return parts.stream().filter(p -> p.part().name().equals(name)).findFirst().orElseThrow();
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
      Map<Integer, Target> layers = new LinkedHashMap<>();
      for (int i = 0; i < candidates.size(); i++) {
        Target t = candidates.get(i);
        if (spec.adapts(t) && later.stream().noneMatch(l -> l.adapts(t))) {
          layers.put(i, t);
        }
      }
      add(layers, spec);
    }
  }

  /** Likewise, and weights that are trained as a whole. */
  public Adapters(List<LoraSpec> specs, List<Target> candidates, List<Target> whole) {
    this(specs, candidates);
    Map<Integer, Target> layers = new LinkedHashMap<>();
    whole.forEach(t -> layers.put(candidates.size() + layers.size(), t));
    if (!layers.isEmpty()) {
      add(layers, SavedModules.spec(whole.stream().map(Target::path).toList()));
    }
  }

  /** Lays out parts of one rate side by side. */
  private void add(Map<Integer, Target> layers, LoraSpec spec) {
    Map<Target, Map<String, Place>> places = new LinkedHashMap<>();
    layers.values().forEach(t -> places.put(t, new LinkedHashMap<>()));
    double[] rates =
        layers.values().stream()
            .flatMap(t -> spec.parts(t).stream())
            .mapToDouble(Part::rate)
            .distinct()
            .toArray();
    for (double rate : rates) {
      long start = align(floats, RANGE_ALIGNMENT);
      floats = start;
      for (Target t : layers.values()) {
        for (Part part : spec.parts(t)) {
          if (part.rate() == rate) {
            places.get(t).put(part.name(), place(part));
          }
        }
      }
      addRange(start, spec.rate() * rate);
    }
    layers.forEach(
        (i, t) -> {
          List<Place> inOrder =
              spec.parts(t).stream().map(p -> places.get(t).get(p.name())).toList();
          modules.put(t.path(), new Module(t, i, spec, inOrder));
        });
  }

  private void addRange(long start, double rate) {
    Range before = ranges.isEmpty() ? new Range(0, 0, -1) : ranges.get(ranges.size() - 1);
    if (before.rate() == rate) {
      ranges.set(ranges.size() - 1, new Range(before.from(), floats - before.from(), rate));
    } else {
      ranges.add(new Range(start, floats - start, rate));
    }
  }

  private Place place(Part part) {
    Place place = new Place(part, floats);
    floats += align(part.size(), ALIGNMENT);
    return place;
  }

  private static void requireMatch(String target, List<Target> candidates) {
    LoraSpec alone = new LoraSpec(1, 1, 0, List.of(target), false);
    if (candidates.stream().noneMatch(alone::adapts)) {
      TreeSet<String> names = new TreeSet<>();
      candidates.forEach(c -> names.add(PeftFormat.lastPart(c.path())));
      throw new UserException(
          "lora_targets: the model has no layer \""
              + target
              + "\". It has: "
              + String.join(", ", names)
              + "; all-linear takes them all"
              + (candidates.stream().anyMatch(c -> c.experts() > 0) ? " but the experts'." : "."));
    }
  }

  /**
   * Adapters of layers that each have a spec of their own.
   *
   * @param specs by path; a path must be a candidate's
   */
  static Adapters ofSpecs(List<Target> candidates, Map<String, LoraSpec> specs) {
    Adapters adapters = new Adapters();
    for (int i = 0; i < candidates.size(); i++) {
      Target t = candidates.get(i);
      LoraSpec spec = specs.get(t.path());
      if (spec != null) {
        adapters.add(t, i, spec);
      }
    }
    return adapters;
  }

  private void add(Target t, int index, LoraSpec spec) {
    modules.put(
        t.path(), new Module(t, index, spec, spec.parts(t).stream().map(this::place).toList()));
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
    return modules.values().stream()
        .flatMap(m -> m.parts().stream())
        .filter(p -> p.part().rate() > 0)
        .mapToLong(p -> p.part().size())
        .sum();
  }

  /**
   * The linear layer at {@code path} with its adapter, if it has one.
   *
   * @param training whether dropout applies
   */
  public Optional<Value> linear(
      Graph g, String path, Value x, Value w0, Optional<Value> bias, boolean training) {
    return find(path)
        .map(m -> m.spec().method().linear(new AdapterMethod.Site(g, m, training), x, w0, bias));
  }

  /** A linear layer of the model, adapted or not. */
  public record Layer(String path, Value w0, Optional<Value> bias) {}

  /**
   * Linear layers that read the same x, those that are adapted alike together. Each is appended
   * where its output is asked for, once; every output must be read.
   *
   * @param plain a layer without an adapter
   */
  public List<Supplier<Value>> linears(
      Graph g, Value x, List<Layer> layers, boolean training, Function<Layer, Value> plain) {
    Map<AdapterMethod, List<Layer>> alike = new LinkedHashMap<>();
    Map<String, Supplier<Value>> made = new HashMap<>();
    for (Layer l : layers) {
      find(l.path())
          .ifPresentOrElse(
              m -> alike.computeIfAbsent(m.spec().method(), a -> new ArrayList<>()).add(l),
              () -> made.put(l.path(), () -> plain.apply(l)));
    }
    alike.forEach(
        (method, ours) -> {
          List<Supplier<Value>> ys =
              method.linears(x, ours.stream().map(l -> adapted(g, l, training)).toList());
          for (int i = 0; i < ys.size(); i++) {
            made.put(ours.get(i).path(), ys.get(i));
          }
        });
    return layers.stream().map(l -> made.get(l.path())).toList();
  }

  private AdapterMethod.Layer adapted(Graph g, Layer l, boolean training) {
    Module m = find(l.path()).orElseThrow();
    return new AdapterMethod.Layer(new AdapterMethod.Site(g, m, training), l.w0(), l.bias());
  }

  /** Likewise the layers of a mixture's experts; x's rows are in the order of experts. */
  public Optional<Value> experts(
      Graph g, String path, Value x, Value w, Routed route, boolean training) {
    return find(path)
        .map(m -> m.spec().method().experts(new AdapterMethod.Site(g, m, training), x, w, route));
  }

  /** Likewise the convolution. */
  public Optional<Value> convolution(
      Graph g,
      String path,
      Value x,
      Value w0,
      Optional<Value> bias,
      Conv2d.Setting setting,
      boolean training) {
    return find(path)
        .map(
            m ->
                m.spec()
                    .method()
                    .convolution(new AdapterMethod.Site(g, m, training), x, w0, bias, setting));
  }

  /**
   * The weight [out, in] in f32 that stands in place of the base's at {@code path}, if one does.
   */
  public Optional<Value> whole(Graph g, String path, boolean training) {
    return find(path)
        .filter(m -> m.spec().method().replaces())
        .map(m -> m.spec().method().weight(new AdapterMethod.Site(g, m, training)));
  }

  /** Layers of {@code flat} all of whose parts that begin as zeros are zeros still. */
  public long dead(Numbers flat) {
    return modules.values().stream().filter(m -> isDead(m, flat)).count();
  }

  private static boolean isDead(Module m, Numbers flat) {
    List<Place> zeros =
        m.parts().stream().filter(p -> p.part().start() instanceof Part.Start.Zeros).toList();
    return !zeros.isEmpty() && zeros.stream().allMatch(p -> p.of(flat).every(Adapters::areZeros));
  }

  private static boolean areZeros(float[] numbers, int count) {
    for (int i = 0; i < count; i++) {
      if (numbers[i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** The flat buffer at the start, but for what is made of the base. */
  public Flat initial(long seed) {
    Flat flat = new Flat(this);
    for (Module m : modules.values()) {
      for (int i = 0; i < m.parts().size(); i++) {
        Part.Start start = m.parts().get(i).part().start();
        if (start instanceof Part.Start.Uniform uniform) {
          fill(m, i, (float) uniform.bound(), seed, flat.array(m.parts().get(i)));
        } else if (start instanceof Part.Start.Normal normal) {
          fillNormal(m, i, (float) normal.deviation(), seed, flat.array(m.parts().get(i)));
        }
      }
    }
    return flat;
  }

  private static void fillNormal(Module m, int part, float deviation, long seed, float[] to) {
    float[] x = Philox.normals(to.length, seed, Philox.LORA_INIT, m.index(), part);
    for (int i = 0; i < x.length; i++) {
      to[i] = deviation * x[i];
    }
  }

  private static void fill(Module m, int part, float bound, long seed, float[] to) {
    for (int i = 0; i < to.length; i += 4) {
      int[] words = Philox.words(seed, i / 4, Philox.LORA_INIT, m.index(), part);
      for (int j = i; j < Math.min(i + 4, to.length); j++) {
        to[j] = (2 * Philox.uniform(words[j - i]) - 1) * bound;
      }
    }
  }
}
