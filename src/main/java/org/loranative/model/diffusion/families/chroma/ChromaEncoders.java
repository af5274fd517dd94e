package org.loranative.model.diffusion.families.chroma;

import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Condition;
import org.loranative.model.diffusion.TextEncoders;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.t5.T5Place;
import org.loranative.model.diffusion.t5.T5Text;

/** T5's state of each token (diffusers' ChromaPipeline). */
record ChromaEncoders(T5Place t5) implements TextEncoders {
  static final String T5 = "text_encoder.";

  /** What diffusers' pipeline takes. */
  static final int T5_TOKENS = 512;

  /** An input of the transformer. */
  static final String TEXT = "text";

  @Override
  public int tokens() {
    return t5.tokens();
  }

  @Override
  public List<Condition> conditions() {
    return List.of(new Condition(TEXT, t5.config().hidden(), true));
  }

  @Override
  public boolean isLarge(String name) {
    return name.startsWith(T5);
  }

  @Override
  public DType compute(DType other) {
    return t5.compute(other);
  }

  @Override
  public Map<String, Value> encode(Net net, int rows, int clipSkip) {
    return Map.of(TEXT, new T5Text(t5.config(), T5, net).encode(rows, t5.tokens(), t5.masked()));
  }

  /** T5, which stays frozen, has no layers that could be adapted. */
  @Override
  public void trace(Net net) {}

  @Override
  public TextReader reader() {
    return new ChromaTexts(t5.open());
  }
}
