package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Conv2d;
import org.loranative.io.Numbers;

/**
 * A layer's weight trained as a whole (PEFT's {@code modules_to_save}): it begins as the base's and
 * stands in its place.
 */
record WholeMethod() implements AdapterMethod {
  static final AdapterMethod INSTANCE = new WholeMethod();

  /** The part's name. It is no tensor's of the base, which may be in the same graph. */
  static final String WEIGHT = "whole";

  private static final Part.Keys KEYS = new Part.Keys(".weight", ".weight", List.of());

  @Override
  public String name() {
    return "whole";
  }

  @Override
  public String label() {
    return "a weight trained as a whole";
  }

  @Override
  public String summary(LoraSpec spec) {
    return "Trained as a whole: " + String.join(", ", spec.targets());
  }

  @Override
  public boolean replaces() {
    return true;
  }

  @Override
  public List<Part> parts(Adapters.Target layer, int rank) {
    return List.of(
        new Part(
            WEIGHT,
            Shape.of(layer.out(), layer.in()),
            Part.Axes.OUTPUT_BY_INPUT,
            Part.InFiles.MATRIX,
            new Part.Start.FromBase(),
            false,
            KEYS));
  }

  @Override
  public Value weight(Site site) {
    return site.part(WEIGHT);
  }

  @Override
  public Map<String, Numbers> startFromWeight(Adapters.Module layer, Supplier<Numbers> w0) {
    return Map.of(WEIGHT, w0.get());
  }

  @Override
  public void merge(AdaptedLayer layer, int row, float[] weights) {
    layer.numbers().get(WEIGHT).read((long) row * weights.length, weights, 0, weights.length);
  }

  /** How large the weight is: what of it is the base's, it does not know. */
  @Override
  public Change change(AdaptedLayer layer) {
    return new Change(Change.norm(layer.numbers().get(WEIGHT)), List.of());
  }

  @Override
  public Value linear(Site site, Value x, Value w0, Optional<Value> bias) {
    throw new IllegalStateException(site.path()); // model code asks for the weight
  }

  @Override
  public Value convolution(
      Site site, Value x, Value w0, Optional<Value> bias, Conv2d.Setting setting) {
    throw new IllegalStateException(site.path());
  }

  @Override
  public void describe(LoraSpec spec, ObjectNode config) {
    throw new IllegalStateException("PEFT names it beside an adapter");
  }

  @Override
  public boolean isDescribed(JsonNode config) {
    return false;
  }
}
