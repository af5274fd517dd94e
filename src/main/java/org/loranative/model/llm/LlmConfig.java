package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.model.Family;

/**
 * The numbers of a language model.
 *
 * @param prefix of the names of embedding, layers and last norm: {@code model.}, or {@code
 *     model.language_model.} inside a model that also sees
 * @param hidden C, channels of the residual stream
 * @param finalSoftcap cap of logits, 0 for none
 * @param scales what numbers are multiplied by
 * @param layers one for each transformer layer
 * @param layerInputs what layers are given beside the residual stream, if anything
 * @param rope frequencies; localRope those of sliding layers (often the same)
 */
public record LlmConfig(
    Family family,
    String prefix,
    int hidden,
    int heads,
    int kvHeads,
    int vocab,
    float normEps,
    float finalSoftcap,
    Scales scales,
    List<Layer> layers,
    Optional<LayerInputs> layerInputs,
    RopeSpec rope,
    RopeSpec localRope) {

  /**
   * Factors of the embedding, of what each half of a layer adds to the residual stream, and of the
   * logits (1 in most models).
   */
  public record Scales(float embedding, float residual, float logits) {
    private static final float NEAR = 1e-6f;

    /** Whether others are the same but for rounding. */
    boolean near(Scales o) {
      return near(embedding, o.embedding) && near(residual, o.residual) && near(logits, o.logits);
    }

    private static boolean near(float a, float b) {
      return Math.abs(a - b) <= NEAR * b;
    }
  }

  /** What a layer is made of, beside its norms. */
  record Layer(Mixer mixer, FeedForward feedForward) {}

  public LlmConfig {
    layers = List.copyOf(layers);
  }

  /** Caps logits in place, as the model does last: {@code c tanh(z / c)}. */
  public void cap(float[] logits) {
    for (int i = 0; finalSoftcap > 0 && i < logits.length; i++) {
      logits[i] = (float) (finalSoftcap * Math.tanh(logits[i] / finalSoftcap));
    }
  }

  /** With as many rows of embedding and head. */
  LlmConfig withVocab(int rows) {
    return new LlmConfig(
        family,
        prefix,
        hidden,
        heads,
        kvHeads,
        rows,
        normEps,
        finalSoftcap,
        scales,
        layers,
        layerInputs,
        rope,
        localRope);
  }

  /** With other frequencies of layers that are not local, or of all where none has its own. */
  LlmConfig withRope(RopeSpec other) {
    return new LlmConfig(
        family,
        prefix,
        hidden,
        heads,
        kvHeads,
        vocab,
        normEps,
        finalSoftcap,
        scales,
        layers,
        layerInputs,
        other,
        localRope.equals(rope) ? other : localRope);
  }

  /** Whether some layer reads what came before out of a state. */
  boolean isRecurrent() {
    return layers.stream().anyMatch(l -> l.mixer().isRecurrent());
  }

  /** The path of a layer's module. */
  String inLayer(int layer, String module) {
    return prefix + "layers." + layer + "." + module;
  }

  /** Whether a tensor is the weight of a norm that the family's folders count from a number. */
  public boolean countsFromOffset(String name) {
    return family.normOffset() != 0
        && name.startsWith(prefix)
        && name.endsWith("norm.weight")
        && !name.endsWith(GatedDeltaNet.NORM + ".weight");
  }

  /** The mixer of the recurrent layer that a tensor is of. */
  GatedDeltaNet delta(String name) {
    String inside = name.substring((prefix + "layers.").length());
    int layer = Integer.parseInt(inside.substring(0, inside.indexOf('.')));
    return (GatedDeltaNet) layers.get(layer).mixer();
  }

  /** All linear layers but the head, in the model's order, by their paths. */
  List<Projection> projections() {
    List<Projection> all = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      String path = inLayer(i, "");
      Stream.of(
              layers.get(i).mixer().linears(hidden),
              layers.get(i).feedForward().linears(hidden),
              layerInputs.map(in -> in.linears(hidden)).orElse(List.of()))
          .flatMap(List::stream)
          .forEach(p -> all.add(p.under(path)));
    }
    layerInputs.ifPresent(in -> all.add(in.shared(hidden, layers.size()).under(prefix)));
    return all;
  }

  /** Paths of the same. */
  public List<String> linearPaths() {
    return projections().stream().map(Projection::name).toList();
  }
}
