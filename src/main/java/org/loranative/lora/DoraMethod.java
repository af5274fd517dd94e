package org.loranative.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.graph.Shape;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Conv2d;
import org.loranative.graph.ops.DoraNorm;
import org.loranative.graph.ops.DoraScale;
import org.loranative.io.TensorEntry;

/**
 * DoRA (Liu et al. 2024): as LoRA, but each output's row of the weight is brought to a length that
 * is learnt. The length that it has without is taken for a constant, as PEFT does.
 */
record DoraMethod(LowRankMethod lowRank) implements AdapterMethod {
  private static final String MAGNITUDE = "lora_magnitude_vector";
  private static final String SWITCH = "use_dora";

  private static final Part.Keys KEYS =
      new Part.Keys(
          ".dora_scale",
          "." + MAGNITUDE,
          List.of("." + MAGNITUDE + ".weight", "." + MAGNITUDE + ".default.weight"));

  @Override
  public String name() {
    return "dora";
  }

  @Override
  public String label() {
    return "DoRA";
  }

  DoraMethod() {
    this(new LowRankMethod());
  }

  @Override
  public DoraMethod with(Choices choices) {
    FreshInit init = (FreshInit) choices.init(); // settings are checked
    return new DoraMethod(new LowRankMethod(init, choices.plusRatio()));
  }

  /** Lengths learn at B's rate, as in PEFT's LoRA+. */
  @Override
  public List<Part> parts(Adapters.Target layer, int rank) {
    List<Part> parts = new ArrayList<>(lowRank.parts(layer, rank));
    parts.add(
        new Part(
            MAGNITUDE,
            Shape.of(layer.out()),
            Part.Axes.OTHER,
            DoraMethod::shapeInFiles,
            new Part.Start.FromBase(),
            false,
            KEYS,
            lowRank.plusRatio()));
    return parts;
  }

  /** kohya's files keep the axes of the weight, PEFT's of a convolution that of its images. */
  private static List<Long> shapeInFiles(Part part, Part.FileLayer file) {
    long out = part.shape().last();
    if (file.kohya()) {
      return file.convolution() ? List.of(out, 1L, 1L, 1L) : List.of(out, 1L);
    }
    return file.convolution() ? List.of(1L, out, 1L, 1L) : List.of(out);
  }

  @Override
  public Set<String> multiplied() {
    return lowRank.multiplied();
  }

  @Override
  public Value linear(Site site, Value x, Value w0, Optional<Value> bias) {
    Value z = LowRankMethod.linear(site, site.path() + ".z", x, w0, Optional.empty());
    return scaled(site, z, w0, bias);
  }

  @Override
  public Value convolution(
      Site site, Value x, Value w0, Optional<Value> bias, Conv2d.Setting convolution) {
    Value frozen =
        Conv2d.of(site.graph(), site.path() + ".w0", x, w0, Optional.empty(), convolution);
    Value z = LowRankMethod.convolution(site, site.path() + ".z", x, frozen, convolution);
    return scaled(site, z, w0, bias);
  }

  private static Value scaled(Site site, Value z, Value w0, Optional<Value> bias) {
    return DoraScale.of(site.graph(), site.path(), z, site.part(MAGNITUDE), norm(site, w0), bias);
  }

  private static Value norm(Site site, Value w0) {
    return DoraNorm.of(
        site.graph(),
        site.path() + ".norm",
        w0,
        site.part(LowRankMethod.A),
        site.part(LowRankMethod.B),
        (float) site.module().scale());
  }

  @Override
  public void merge(AdaptedLayer layer, int row, float[] weights) {
    lowRank.merge(layer, row, weights);
    float factor = (float) (layer.numbers(MAGNITUDE)[row] / Change.norm(weights));
    for (int c = 0; c < weights.length; c++) {
      weights[c] *= factor;
    }
  }

  /** That of the low-rank part, before rows are brought to their lengths. */
  @Override
  public Change change(AdaptedLayer layer) {
    return lowRank.change(layer);
  }

  /** The lengths that the rows have at the start, so that nothing changes yet. */
  @Override
  public Map<String, Value> startFromBase(Site site, Supplier<Value> w0) {
    return Map.of(MAGNITUDE, norm(site, w0.get()));
  }

  @Override
  public void describe(LoraSpec spec, ObjectNode config) {
    lowRank.describe(spec, config);
    config.put(SWITCH, true);
  }

  @Override
  public Map<String, Boolean> peftSwitches() {
    return Map.of(SWITCH, true);
  }

  @Override
  public boolean isDescribed(JsonNode config) {
    return LowRankMethod.isLora(config) && config.path(SWITCH).asBoolean();
  }

  @Override
  public Optional<Map<String, float[]>> read(
      Adapters.Target layer, int rank, Map<String, TensorEntry> tensors) {
    TensorEntry lengths = tensors.get(MAGNITUDE);
    if (lengths.name().endsWith(KEYS.kohya())
        && lengths.elements() > 1
        && lengths.shape().get(0) == 1) {
      throw new UserException(
          String.format(
              "%s has the shape %s: lengths of the weight's columns (LyCORIS' wd_on_out=False),"
                  + " which are not supported; those of its rows are.",
              lengths.name(), lengths.shape()));
    }
    return AdapterMethod.super.read(layer, rank, tensors);
  }
}
