package org.loranative.model.diffusion.families.flux;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Condition;
import org.loranative.model.diffusion.TextEncoders;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.clip.ClipConfig;
import org.loranative.model.diffusion.clip.ClipText;
import org.loranative.model.diffusion.clip.TokenizerPlace;
import org.loranative.model.diffusion.t5.ClipT5Reader;
import org.loranative.model.diffusion.t5.T5Place;
import org.loranative.model.diffusion.t5.T5Text;

/**
 * CLIP's state of the whole text and T5's of each token (diffusers' FluxPipeline).
 *
 * @param tokenizer CLIP's
 */
record FluxEncoders(ClipConfig clip, TokenizerPlace tokenizer, T5Place t5) implements TextEncoders {
  static final String CLIP = "text_encoder.";
  static final String T5 = "text_encoder_2.";

  /** What diffusers' pipeline takes. */
  static final int T5_TOKENS = 512;

  /** Inputs of the transformer. */
  static final String TEXT = "text";

  static final String POOLED = "pooled";

  @Override
  public int tokens() {
    return t5.tokens();
  }

  @Override
  public List<Condition> conditions() {
    return List.of(
        new Condition(TEXT, t5.config().hidden(), true),
        new Condition(POOLED, clip.hidden(), false));
  }

  @Override
  public boolean isLarge(String name) {
    return name.startsWith(T5);
  }

  @Override
  public DType compute(DType other) {
    return t5.compute(other);
  }

  /** Of CLIP the end alone is read, so that no layers can be skipped. */
  @Override
  public Map<String, Value> encode(Net net, int rows, int clipSkip) {
    Map<String, Value> conditions = new LinkedHashMap<>();
    conditions.put(TEXT, new T5Text(t5.config(), T5, net).encode(rows, t5.tokens(), t5.masked()));
    conditions.put(POOLED, pooled(net, rows));
    return conditions;
  }

  private Value pooled(Net net, int rows) {
    ClipText text = new ClipText(clip, CLIP, net);
    return text.ends(text.states(rows, clip.layers()).get(clip.layers()), rows);
  }

  /** T5, which stays frozen, has no layers that could be adapted. */
  @Override
  public void trace(Net net) {
    pooled(net, 1);
  }

  @Override
  public TextReader reader() {
    return ClipT5Reader.open(Map.of(CLIP, tokenizer), Set.of(CLIP), Optional.of(t5));
  }
}
