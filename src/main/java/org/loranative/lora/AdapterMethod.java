package org.loranative.lora;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Conv2d;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * A kind of adapter: the parts that it keeps for a layer and what they do there. Memory,
 * checkpoints, files and mixtures walk the parts and know no method.
 */
public interface AdapterMethod {
  /** In settings. */
  String name();

  /** What it keeps for a layer, in the order in which it lies in memory. */
  List<Part> parts(Adapters.Target layer, int rank);

  /**
   * Appends the adapted linear layer; returns its output.
   *
   * @param w0 frozen [out, in]
   */
  Value linear(Site site, Value x, Value w0, Optional<Value> bias);

  /**
   * Appends what it adds to a convolution; returns the sum.
   *
   * @param frozen what the convolution gives without it
   */
  Value convolution(Site site, Value x, Value frozen, Conv2d.Setting setting);

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
      return module.part(name).value(graph, module.path());
    }
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
