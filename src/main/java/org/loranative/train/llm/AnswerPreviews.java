package org.loranative.train.llm;

import java.util.Arrays;
import java.util.Optional;
import org.loranative.config.TrainConfig;
import org.loranative.device.Device;
import org.loranative.device.Memory;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.Placement;
import org.loranative.model.llm.Generator;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.Sampling;
import org.loranative.text.Tokenizer;
import org.loranative.train.Previews;
import org.loranative.train.Tracker;

/** Answers of a language model to the same prompts. */
final class AnswerPreviews implements Previews {
  private static final int PROMPT_TOKENS = 512;

  private final TrainConfig config;
  private final Tokenizer tokenizer;
  private final Generator generator;

  AnswerPreviews(
      TrainConfig config,
      LlmBase base,
      Tokenizer tokenizer,
      Adapters adapters,
      Device device,
      DType compute,
      Placement placement,
      Memory arena) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.generator =
        new Generator(
            device, base, adapters, compute, placement, contextTokens(config), Optional.of(arena));
  }

  static int contextTokens(TrainConfig config) {
    return PROMPT_TOKENS + config.sampleMaxTokens();
  }

  /** Answers every prompt, greedily. */
  @Override
  public void write(int step, Tracker tracker) {
    generator.forget(); // the adapters have learnt since
    for (int i = 0; i < config.samplePrompts().size(); i++) {
      String prompt = config.samplePrompts().get(i);
      int[] ids = Answers.Question.of(prompt).tokens(tokenizer);
      if (ids.length > PROMPT_TOKENS) {
        ids = Arrays.copyOf(ids, PROMPT_TOKENS);
      }
      tracker.preview(step, i + 1, prompt, answer(ids));
    }
  }

  /** A run that diverges ends by its loss, and not here. */
  private String answer(int[] prompt) {
    try {
      return tokenizer.decode(
          generator.generate(
              prompt, config.sampleMaxTokens(), tokenizer.stop(), Sampling.greedy(), t -> true));
    } catch (Generator.NotFiniteException e) {
      return "(no answer: the logits are NaN or infinite)";
    }
  }

  @Override
  public void close() {
    generator.close();
  }
}
