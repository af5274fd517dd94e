package org.loranative.model.diffusion.families.stable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Split;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Condition;
import org.loranative.model.diffusion.TextEncoders;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.ClipReader;
import org.loranative.model.diffusion.clip.ClipText;
import org.loranative.model.diffusion.clip.TokenizerPlace;

/**
 * CLIP's encoder, or SDXL's two, whose states stand side by side.
 *
 * @param tokenizers of each encoder, in their order
 */
record ClipEncoders(ClipConfig first, Optional<ClipConfig> second, List<TokenizerPlace> tokenizers)
    implements TextEncoders {
  static final String FIRST = "text_encoder.";
  static final String SECOND = "text_encoder_2.";

  /** Inputs of the UNet. */
  static final String TEXT = "text";

  static final String POOLED = "pooled";

  ClipEncoders {
    tokenizers = List.copyOf(tokenizers);
  }

  @Override
  public int tokens() {
    return first.positions();
  }

  @Override
  public List<Condition> conditions() {
    Condition text =
        new Condition(TEXT, first.hidden() + second.map(ClipConfig::hidden).orElse(0), true);
    return second
        .map(s -> List.of(text, new Condition(POOLED, s.hidden(), false)))
        .orElse(List.of(text));
  }

  @Override
  public Map<String, Value> encode(Net net, int rows, int clipSkip) {
    ClipText one = new ClipText(first, FIRST, net);
    int layers = first.layers();
    if (second.isEmpty()) {
      Value last = one.states(rows, layers - clipSkip).get(layers - clipSkip);
      return Map.of(TEXT, one.finalNorm(last));
    }
    // SDXL reads the states before the last layer, without the norm; the pooled one from the end.
    ClipText two = new ClipText(second.get(), SECOND, net);
    int read = layers - 1 - clipSkip;
    int layers2 = second.get().layers();
    List<Value> states2 = two.states(rows, layers2);
    Value text =
        Split.join(
            net.graph(),
            List.of(one.states(rows, read).get(read), states2.get(layers2 - 1 - clipSkip)));
    Map<String, Value> conditions = new LinkedHashMap<>();
    conditions.put(TEXT, text);
    conditions.put(POOLED, two.pooled(states2.get(layers2), rows));
    return conditions;
  }

  /** So that one layer is read. */
  @Override
  public int mostSkipped() {
    return second.map(s -> Math.min(first.layers(), s.layers()) - 2).orElse(first.layers() - 1);
  }

  /** Also the last layer of SDXL's first encoder, which nothing reads. */
  @Override
  public void trace(Net net) {
    new ClipText(first, FIRST, net).states(1, first.layers());
    second.ifPresent(
        c -> {
          ClipText two = new ClipText(c, SECOND, net);
          two.pooled(two.states(1, c.layers()).get(c.layers()), 1);
        });
  }

  @Override
  public TextReader reader() {
    Map<String, TokenizerPlace> places = new LinkedHashMap<>();
    places.put(FIRST, tokenizers.get(0));
    second.ifPresent(s -> places.put(SECOND, tokenizers.get(1)));
    return new ClipReader(places, Set.of(SECOND));
  }
}
