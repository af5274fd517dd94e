package org.loranative.train.llm;

import org.loranative.config.TrainConfig;
import org.loranative.model.llm.LlmBase;
import org.loranative.text.Tokenizer;

/** A base's tokenizer as a run uses it: with the date that its chat template prints. */
public final class RunTokenizer {
  private RunTokenizer() {}

  /** The caller closes it. */
  public static Tokenizer open(TrainConfig config, LlmBase base) {
    Tokenizer tokenizer = base.tokenizer();
    config.templateDateTime().ifPresent(tokenizer::setDate);
    return tokenizer;
  }
}
