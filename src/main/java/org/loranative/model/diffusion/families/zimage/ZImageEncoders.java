package org.loranative.model.diffusion.families.zimage;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.loranative.graph.Value;
import org.loranative.model.Net;
import org.loranative.model.diffusion.Condition;
import org.loranative.model.diffusion.TextEncoders;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;

/**
 * A language model's states of each token, before its last layer (diffusers' ZImagePipeline).
 *
 * @param model whose weights lie with the base's, under its own names
 * @param tokenizer the folder that has it
 */
record ZImageEncoders(LlmBase model, Path tokenizer) implements TextEncoders {
  /** An input of the transformer. */
  static final String TEXT = "text";

  @Override
  public int tokens() {
    return ZImageTexts.TOKENS;
  }

  @Override
  public List<Condition> conditions() {
    return List.of(new Condition(TEXT, model.config().hidden(), true));
  }

  @Override
  public boolean isLarge(String name) {
    return name.startsWith(model.config().prefix());
  }

  @Override
  public Map<String, Value> encode(Net net, int rows, int clipSkip) {
    int layers = model.config().layers().size() - 1;
    return Map.of(
        TEXT,
        LlmGraph.states(
            model, net, ZImageTexts.PREFIX, rows * ZImageTexts.TOKENS, ZImageTexts.TOKENS, layers));
  }

  @Override
  public Map<String, float[]> constants() {
    return model.constants();
  }

  /** The language model stays frozen. */
  @Override
  public void trace(Net net) {}

  @Override
  public TextReader reader() {
    return new ZImageTexts(tokenizer, model.config().vocab());
  }
}
