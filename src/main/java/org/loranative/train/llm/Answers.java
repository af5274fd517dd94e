package org.loranative.train.llm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.loranative.data.llm.Example;
import org.loranative.device.Device;
import org.loranative.export.AdapterBase;
import org.loranative.export.AdapterSource;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.Mix;
import org.loranative.model.Placement;
import org.loranative.model.Session;
import org.loranative.model.llm.Generator;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.Sampling;
import org.loranative.model.weights.LoadedWeights;
import org.loranative.model.weights.Weights;
import org.loranative.text.ChatTemplate.Message;
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
   * @param sources adapters that are applied together: PEFT folders, or GGUF files as llama.cpp
   *     loads them; a chat template that prints the date prints the first one's run's
   */
  public Answers(Path basePath, List<AdapterSource> sources, Machine machine) {
    boolean opened = false;
    try {
      base = LlmBase.open(basePath, sources.stream().map(AdapterSource::path).toList());
      base.quantize(machine.quantize());
      tokenizer = owned.add(base.tokenizer());
      sources.stream().findFirst().ifPresent(a -> RunTokenizer.of(a.path(), tokenizer));
      Mix mix = AdapterSource.mix(sources, new AdapterBase.Language(base));
      adapters = mix.adapters();
      device = owned.add(Devices.open(machine.device(), machine.threads()));
      this.compute = Devices.compute(machine.compute(), device);
      AdapterState state = owned.add(new AdapterState(device, adapters, compute));
      state.write(AdapterState.PARAMS, mix.params());
      LoadedWeights weights =
          owned.add(base.weights().load(weights(base, List.of(adapters, Adapters.none())), device));
      placement = owned.add(new Placement(device, weights, state, base.constants()));
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  /** The weights of a model with adapters, and of the base alone, which has all of its own. */
  private Map<String, Value> weights(LlmBase of, List<Adapters> each) {
    return Weights.of(each.stream().map(a -> Generator.weightsOf(of, a, compute)).toList());
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

    /** Its tokens: by the chat template if the model has one and raw is not set. */
    int[] tokens(Tokenizer tokenizer) {
      if (raw || tokenizer.chatTemplate().isEmpty()) {
        return tokenizer.encode(prompt, true).ids();
      }
      List<Message> messages = new ArrayList<>();
      system.ifPresent(s -> messages.add(new Message("system", s)));
      messages.add(new Message("user", prompt));
      return Respondent.prompt(tokenizer, messages);
    }
  }

  /**
   * Answers one question.
   *
   * @param onText receives the answer's text piece by piece
   * @return the whole answer
   */
  public String answer(
      Question question, int maxTokens, Sampling sampling, Consumer<String> onText) {
    int[] ids = prompt(question);
    try (Respondent respondent = respondent(ids.length + maxTokens, true)) {
      return respondent
          .reply(
              ids,
              new Respondent.Manner(maxTokens, sampling, List.of()),
              text -> {
                onText.accept(text);
                return true;
              })
          .text();
    }
  }

  /**
   * The model, ready for one prompt after another. Several may be open, over the same weights.
   *
   * @param context tokens of prompt and answer together, at most
   * @param adapted with the adapters, or the base alone
   */
  public Respondent respondent(int context, boolean adapted) {
    return new Respondent(
        tokenizer, generator(context, adapted ? adapters : Adapters.none()), context);
  }

  /** Tokens that the model was made to read at once, if it says. */
  public OptionalInt context() {
    return base.settings().get("max_position_embeddings") instanceof Number n
        ? OptionalInt.of(n.intValue())
        : OptionalInt.empty();
  }

  /** Tokens of a question. */
  public int[] prompt(Question question) {
    return question.tokens(tokenizer);
  }

  /** Tokens of the likeliest answer. */
  public int[] likeliest(int[] prompt, int maxTokens) {
    try (Generator generator = generator(prompt.length + maxTokens, adapters)) {
      return generator.generate(
          prompt, maxTokens, tokenizer.stop(), Sampling.greedy(), token -> true);
    }
  }

  /**
   * Logits of what follows each token of a text.
   *
   * @return [T, V]
   */
  public float[][] logits(int[] ids) {
    int[] positions = IntStream.range(0, ids.length).toArray();
    Graph graph = LlmGraph.logits(base, adapters, compute, ids.length, ids.length);
    try (Session session = new Session(device, graph, placement, Optional.empty())) {
      float[] flat =
          session
              .run(
                  Map.of(
                      LlmGraph.IDS,
                      ids,
                      LlmGraph.POSITIONS,
                      positions,
                      LlmGraph.DOC_START,
                      new int[ids.length]))
              .values()
              .iterator()
              .next();
      int vocab = base.config().vocab();
      float[][] rows = new float[ids.length][];
      for (int t = 0; t < ids.length; t++) {
        rows[t] = Arrays.copyOfRange(flat, t * vocab, (t + 1) * vocab);
        base.config().cap(rows[t]);
      }
      return rows;
    }
  }

  /**
   * What the model loses on each example: −log p of its labels, summed, in nats.
   *
   * @param adapted with the adapters, or the base alone
   * @throws org.loranative.UserException if a sum is not finite
   */
  public double[] losses(List<Example> examples, boolean adapted) {
    Adapters with = adapted ? adapters : Adapters.none();
    return new ExampleLosses(device, base, with, compute, placement).of(examples);
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  private Generator generator(int tokens, Adapters with) {
    return new Generator(device, base, with, compute, placement, tokens, Optional.empty());
  }

  @Override
  public void close() {
    owned.close();
  }
}
