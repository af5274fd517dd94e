package org.loranative.train.llm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.PeftFormat;
import org.loranative.model.Placement;
import org.loranative.model.llm.Generator;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.LoadedWeights;
import org.loranative.text.Tokenizer;
import org.loranative.train.machine.Devices;
import org.loranative.train.machine.Machine;
import org.loranative.train.machine.Owned;

/** A base model, with or without an adapter, that answers prompts. */
public final class Answers implements AutoCloseable {
  private final Owned owned = new Owned();
  private final Tokenizer tokenizer;
  private final Device device;
  private final LlmBase base;
  private final Adapters adapters;
  private final DType compute;
  private final Placement placement;

  /**
   * @param adapter a PEFT folder; a chat template that prints the date prints its run's
   */
  public Answers(Path basePath, Optional<Path> adapter, Machine machine) {
    boolean opened = false;
    try {
      base = LlmBase.open(basePath);
      base.quantize(machine.quantize());
      tokenizer = owned.add(base.tokenizer());
      adapter.flatMap(TemplateDate::ofAdapter).ifPresent(tokenizer::setDate);
      device = owned.add(Devices.open(machine.device(), machine.threads()));
      this.compute = Devices.compute(machine.compute(), device);
      adapters = adapter.map(a -> PeftFormat.adapters(a, base.targets())).orElseGet(Adapters::none);
      AdapterState state = owned.add(new AdapterState(device, adapters));
      adapter.ifPresent(a -> state.write(AdapterState.PARAMS, PeftFormat.read(a, adapters)));
      LoadedWeights weights =
          owned.add(
              base.weights()
                  .load(Generator.weightsOf(base, adapters, this.compute).named(), device));
      placement = owned.add(new Placement(device, weights, state, base.constants()));
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  /**
   * What is asked.
   *
   * @param system what the chat template puts before it
   * @param raw continue the text as it is, without the chat template
   */
  public record Question(String prompt, Optional<String> system, boolean raw) {
    /** In the chat template alone. */
    public static Question of(String prompt) {
      return new Question(prompt, Optional.empty(), false);
    }
  }

  /**
   * Answers one question.
   *
   * @param onText receives the answer's text piece by piece
   * @return the whole answer
   */
  public String answer(
      Question question, int maxTokens, Generator.Sampling sampling, Consumer<String> onText) {
    int[] ids = AnswerPreviews.prompt(tokenizer, question);
    if (ids.length == 0) {
      throw new UserException("The prompt is empty; give some text with --prompt.");
    }
    List<Integer> answer = new ArrayList<>();
    int[] shown = {0};
    try (Generator generator =
        new Generator(
            device, base, adapters, compute, placement, ids.length + maxTokens, Optional.empty())) {
      int[] tokens =
          generator.generate(
              ids,
              maxTokens,
              tokenizer.stop(),
              sampling,
              token -> {
                answer.add(token);
                String text = decode(answer);
                // A character of several tokens shows as U+FFFD until its last one is there.
                if (!text.endsWith("\uFFFD") && text.length() > shown[0]) {
                  onText.accept(text.substring(shown[0]));
                  shown[0] = text.length();
                }
                return true;
              });
      String whole = tokenizer.decode(tokens);
      if (whole.length() > shown[0]) {
        onText.accept(whole.substring(shown[0])); // cut off within a character
      }
      return whole;
    }
  }

  private String decode(List<Integer> ids) {
    return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
  }

  @Override
  public void close() {
    owned.close();
  }
}
