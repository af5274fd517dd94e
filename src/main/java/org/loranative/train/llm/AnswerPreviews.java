package org.loranative.train.llm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
import org.loranative.text.ChatTemplate.Message;
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
      int[] ids = prompt(tokenizer, Answers.Question.of(prompt));
      if (ids.length > PROMPT_TOKENS) {
        ids = Arrays.copyOf(ids, PROMPT_TOKENS);
      }
      int[] answer =
          generator.generate(
              ids, config.sampleMaxTokens(), tokenizer.stop(), Sampling.greedy(), t -> true);
      tracker.preview(step, i + 1, prompt, tokenizer.decode(answer));
    }
  }

  /** Tokens of a prompt: by the chat template if the model has one and raw is not set. */
  static int[] prompt(Tokenizer tokenizer, Answers.Question question) {
    if (question.raw() || tokenizer.chatTemplate().isEmpty()) {
      return tokenizer.encode(question.prompt(), true).ids();
    }
    List<Message> messages = new ArrayList<>();
    question.system().ifPresent(s -> messages.add(new Message("system", s)));
    messages.add(new Message("user", question.prompt()));
    return Respondent.prompt(tokenizer, messages);
  }

  @Override
  public void close() {
    generator.close();
  }
}
