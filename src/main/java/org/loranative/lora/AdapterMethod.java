package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.Routed;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * A kind of adapter: the parts that it keeps for a layer and what they do there. Memory,
 * checkpoints, files and mixtures walk the parts and know no method.
 */
public interface AdapterMethod {
  /** In settings. */
  String name();

  /** As people write it. */
  String label();

  /** What a run says of a spec of this method before it begins. */
  default String summary(LoraSpec spec) {
    return String.format(
        "%s: rank %d, alpha %s, scale %s", label(), spec.rank(), spec.alpha(), spec.scale());
  }

  /**
   * What settings say of kinds of adapters beside their name.
   *
   * @param init how low-rank matrices begin
   * @param plusRatio LoRA+'s learning rate of B, relative to A's
   */
  record Choices(int lokrFactor, LoraInit init, double plusRatio) {}

  /** The method as settings want it. */
  default AdapterMethod with(Choices choices) {
    return this;
  }

  /** Ways in which it keeps a layer; of each the parts have the same names for every layer. */
  default List<AdapterMethod> forms() {
    return List.of(this);
  }

  /** This form with sizes that only a file's tensors tell. */
  default AdapterMethod fitted(Map<String, TensorEntry> tensors) {
    return this;
  }

  /** What it keeps for a layer, in the order in which it lies in memory. */
  List<Part> parts(Adapters.Target layer, int rank);

  /** Names of the parts that activations are multiplied by, in 16 bits in copies of them. */
  default Set<String> multiplied() {
    return Set.of();
  }

  /**
   * Appends the adapted linear layer; returns its output.
   *
   * @param w0 frozen [out, in]
   */
  Value linear(Site site, Value x, Value w0, Optional<Value> bias);

  /** A linear layer that is adapted. */
  record Layer(Site site, Value w0, Optional<Value> bias) {}

  /**
   * Likewise linear layers that read the same x: each is appended where its output is asked for,
   * once, and every output is read.
   */
  default List<Supplier<Value>> linears(Value x, List<Layer> layers) {
    return layers.stream()
        .<Supplier<Value>>map(l -> () -> linear(l.site(), x, l.w0(), l.bias()))
        .toList();
  }

  /**
   * Likewise the convolution.
   *
   * @param w0 frozen [out, kernel, kernel, in]
   */
  Value convolution(Site site, Value x, Value w0, Optional<Value> bias, Conv2d.Setting setting);

  /** Whether it can be put on the experts of a mixture, one for each. */
  default boolean adaptsExperts() {
    return false;
  }

  /**
   * Likewise the layers of a mixture's experts.
   *
   * @param x [rows, in] in the order of experts
   * @param w frozen [experts, out, in]
   */
  default Value experts(Site site, Value x, Value w, Routed route) {
    throw new IllegalStateException(site.path()); // refused by the spec
  }

  /** Whether it holds a layer's weight itself, in place of the base's, and adds nothing to it. */
  default boolean replaces() {
    return false;
  }

  /** That weight, [out, in] in f32. */
  default Value weight(Site site) {
    throw new IllegalStateException(site.path()); // of those that replace it alone
  }

  /** Whether adapters of a layer side by side are one whose rank is the sum of theirs. */
  default boolean concatenates() {
    return false;
  }

  /**
   * Brings one output's row of a layer's weight to what it is with the adapter.
   *
   * @param row of the experts of a mixture counted through: expert · out + output
   * @param weights the frozen row, as it lies in memory (of a convolution [kernel, kernel,
   *     channels])
   */
  void merge(AdaptedLayer layer, int row, float[] weights);

  /** What the weight of a layer gains by it, as far as the parts alone tell. */
  Change change(AdaptedLayer layer);

  /** What PEFT's configuration holds of it. */
  void describe(LoraSpec spec, ObjectNode config);

  /**
   * Appends what the parts that start from the base hold at first, by the part's name; other parts
   * are in place.
   */
  default Map<String, Value> startFromBase(Site site, Supplier<Value> w0) {
    return Map.of();
  }

  /** Likewise, what is computed here rather than on the device. */
  default Map<String, Numbers> startFromWeight(Adapters.Module layer, Supplier<Numbers> w0) {
    return Map.of();
  }

  /** A layer of this method as files hold it: of another method where no tool knows this one. */
  default AdaptedLayer exported(AdaptedLayer layer) {
    return layer;
  }

  /**
   * A layer as it enters a graph.
   *
   * @param training whether dropout applies
   */
  record Site(Graph graph, Adapters.Module module, boolean training) {
    String path() {
      return module.path();
    }

    /** The part called {@code name}. */
    Value part(String name) {
      return module.part(name).value(graph, Kind.PARAM, module.path());
    }

    /** The copy of it that products of {@code dtype} read, if they do not read it itself. */
    Optional<Value> copy(String name, DType dtype) {
      return dtype == DType.F32
          ? Optional.empty()
          : Optional.of(RoundedParts.copy(graph, module, module.part(name).part(), dtype));
    }

    /** Likewise one that does not learn. */
    Value constant(String name) {
      return module.part(name).value(graph, Kind.STATE, module.path());
    }
  }

  /** The key of alpha in PEFT's configuration. */
  default String alphaKey() {
    return "lora_alpha";
  }

  /** Alpha as PEFT's configuration has it. */
  default double peftAlpha(LoraSpec spec) {
    return spec.alpha();
  }

  /** What kohya's files say of it in their metadata. */
  default Map<String, String> kohyaMetadata() {
    return Map.of("ss_network_module", "networks.lora");
  }

  /** Whether diffusers reads it. */
  default boolean isInDiffusers() {
    return true;
  }

  /** Switches of PEFT's configuration that it sets. */
  default Map<String, Boolean> peftSwitches() {
    return Map.of();
  }

  /** Whether PEFT's configuration speaks of it. */
  boolean isDescribed(JsonNode config);

  /** The rank of a file's tensors, by the part's name. */
  default Optional<Integer> rank(Adapters.Target layer, Map<String, TensorEntry> tensors) {
    return parts(layer, 1).stream()
        .flatMap(p -> p.rank(tensors.get(p.name()).shape()).stream())
        .findFirst();
  }

  /** Tensors beside the parts that files may hold for a layer, by the ends of their names. */
  default Map<String, String> fileExtras() {
    return Map.of();
  }

  /**
   * The parts of a layer from the tensors of a file, if they fit it.
   *
   * @param tensors by the part's name, and the method's extras
   */
  default Optional<Map<String, float[]>> read(
      Adapters.Target layer, int rank, Map<String, TensorEntry> tensors) {
    Map<String, float[]> numbers = new LinkedHashMap<>();
    for (Part part : parts(layer, rank)) {
      TensorEntry tensor = tensors.get(part.name());
      if (tensor.elements() != part.size()) {
        return Optional.empty();
      }
      numbers.put(part.name(), part.ofFile(Safetensors.floats(tensor), layer));
    }
    return Optional.of(numbers);
  }
}
