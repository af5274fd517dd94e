package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Add;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.Linear;
import org.loranative.io.DType;

/**
 * A method that makes a whole weight of small matrices and adds it to the frozen one (LyCORIS, Yeh
 * et al. 2023). The two meet in the layer's output: in the weights' own precision what is small
 * beside the frozen weight would be lost in it.
 */
interface DeltaMethod extends AdapterMethod {
  /**
   * Appends what makes the weight that is added, [out, in] or [out, kernel²·in].
   *
   * @param dtype of the products that it enters
   */
  Value delta(Site site, DType dtype);

  /** What PEFT's configurations call it. */
  String peftType();

  @Override
  default Value linear(Site site, Value x, Value w0, Optional<Value> bias) {
    Value frozen = Linear.of(site.graph(), site.path(), x, w0, bias, x.dtype());
    Value d = delta(site, x.dtype());
    Value y = Linear.of(site.graph(), site.path() + ".delta", x, d, Optional.empty(), x.dtype());
    return Add.of(site.graph(), frozen, y);
  }

  @Override
  default Value convolution(
      Site site, Value x, Value w0, Optional<Value> bias, Conv2d.Setting convolution) {
    Value frozen = Conv2d.of(site.graph(), site.path(), x, w0, bias, convolution);
    Value d = delta(site, x.dtype());
    Value y = Conv2d.of(site.graph(), site.path() + ".delta", x, d, Optional.empty(), convolution);
    return Add.of(site.graph(), frozen, y);
  }

  @Override
  default void describe(LoraSpec spec, ObjectNode config) {
    config.put("peft_type", peftType());
    config.put("r", spec.rank());
    config.put(alphaKey(), peftAlpha(spec));
    config.put("rank_dropout", 0.0);
    config.put("module_dropout", 0.0);
    config.put("use_effective_conv2d", false);
    config.put("init_weights", true);
  }

  @Override
  default boolean isDescribed(JsonNode config) {
    return config.path("peft_type").asText().equals(peftType());
  }

  @Override
  default String alphaKey() {
    return "alpha";
  }

  /** PEFT divides by the rank alone. */
  @Override
  default double peftAlpha(LoraSpec spec) {
    return spec.scale() * spec.rank();
  }

  @Override
  default Map<String, String> kohyaMetadata() {
    return Map.of(
        "ss_network_module",
        "lycoris.kohya",
        "ss_network_args",
        String.format("{\"algo\": \"%s\"}", name()));
  }

  @Override
  default boolean isInDiffusers() {
    return false;
  }

  /** A matrix of its own shape in files. */
  static Part part(
      String name, Shape shape, Part.Axes axes, Part.Start start, boolean carriesScale) {
    return new Part(name, shape, axes, Part.InFiles.MATRIX, start, carriesScale, keys(name));
  }

  /** A part that tools call {@code name}, behind a dot. */
  static Part.Keys keys(String name) {
    return new Part.Keys("." + name, "." + name, List.of("." + name + ".default"));
  }
}
