package org.loranative.data.llm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.data.Records;
import org.loranative.data.Source;
import org.loranative.text.ChatTemplate;
import org.loranative.text.Tokenizer;
import org.loranative.text.jinja.Rendering.Span;
import org.loranative.text.jinja.TemplateException;
import org.loranative.track.Phase;

/**
 * Records to examples. {@code train_on: response} labels what the model would write in each
 * answer's turn, its end included ({@link Turns}); {@code all} labels every token but the first.
 */
public final class ExampleEncoder {
  private static final String NOTHING =
      "it holds nothing to learn (no answer, none with a weight of 1, or a single token)";

  private final Tokenizer tokenizer;
  private final String format;
  private final String trainOn;
  private final int maxLength;
  private final Optional<String> system;

  /**
   * @param format of records, or {@code auto}
   * @param trainOn {@code response}, {@code all}, or {@code auto}: response where there is one
   * @param maxLength tokens of an example; plain text is split into examples of so many, else
   *     longer ones are cut
   */
  public ExampleEncoder(Tokenizer tokenizer, String format, String trainOn, int maxLength) {
    this(tokenizer, format, trainOn, maxLength, Optional.empty());
  }

  /**
   * @param system prompt of conversations that have none
   */
  public ExampleEncoder(
      Tokenizer tokenizer, String format, String trainOn, int maxLength, Optional<String> system) {
    this.system = system;
    this.tokenizer = tokenizer;
    this.format = format;
    this.trainOn = trainOn;
    this.maxLength = maxLength;
  }

  /**
   * @param skipped records that cannot be used, with the reason
   * @param truncated how many were cut to the maximum length
   * @param lostTokens what was cut away from them
   * @param warnings what is learnt otherwise than a reader of the data would expect
   * @param conversations examples that the chat template rendered
   * @param whole those of them that are learnt from the first token to the last although only the
   *     answers were to be
   */
  public record Result(
      List<Example> examples,
      List<Records.Skipped> skipped,
      int truncated,
      long lostTokens,
      List<String> warnings,
      int conversations,
      int whole) {}

  /** Encodes all records; those that cannot be used are listed, not dropped in silence. */
  public Result encode(Records records) {
    List<Example> examples = new ArrayList<>();
    List<Records.Skipped> skipped = new ArrayList<>(records.skipped());
    Oddities oddities = new Oddities();
    int truncated = 0;
    long lost = 0;
    Phase phase = new Phase("records encoded", records.records().size());
    int conversations = 0;
    int whole = 0;
    for (Records.Raw raw : records.records()) {
      phase.next();
      try {
        Formats.Content content = Formats.parse(raw.fields(), format);
        Tokens tokens = tokens(content);
        oddities.add(tokens.oddities(), raw.source());
        if (content instanceof Formats.Text && tokens.learnsSomething()) {
          examples.addAll(split(tokens, raw.source()));
          continue;
        }
        boolean cut = tokens.ids().length > maxLength;
        Example example = example(tokens, 0, raw.source());
        if (example.labelled() == 0) {
          skipped.add(
              new Records.Skipped(
                  raw.source(),
                  cut && tokens.learnsSomething()
                      ? "its first answer begins after max_length = " + maxLength + " tokens"
                      : NOTHING));
          continue;
        }
        truncated += cut ? 1 : 0;
        lost += tokens.ids().length - example.length();
        if (content instanceof Formats.Conversation) {
          conversations++;
          whole += !trainOn.equals("all") && tokens.learnsEverything() ? 1 : 0;
        }
        examples.add(example);
      } catch (FormatException | TemplateException e) {
        skipped.add(new Records.Skipped(raw.source(), e.getMessage()));
      }
    }
    phase.end();
    return new Result(
        examples, skipped, truncated, lost, oddities.sentences(), conversations, whole);
  }

  /**
   * Tokens, and which of them the model is to learn.
   *
   * @param oddities what is to be told about them
   */
  private record Tokens(int[] ids, boolean[] learn, List<String> oddities) {
    boolean learnsSomething() {
      for (int i = 1; i < learn.length; i++) {
        if (learn[i]) {
          return true;
        }
      }
      return false;
    }

    /** All that can be learnt: nothing stands before the first token. */
    boolean learnsEverything() {
      for (int i = 1; i < learn.length; i++) {
        if (!learn[i]) {
          return false;
        }
      }
      return true;
    }
  }

  private Tokens tokens(Formats.Content content) throws FormatException {
    if (content instanceof Formats.Conversation c) {
      return conversation(system.map(c::withSystem).orElse(c));
    } else if (content instanceof Formats.Completion c) {
      return completion(c);
    }
    String text = ((Formats.Text) content).text();
    int[] ids = withEos(tokenizer.encode(text, true).ids());
    boolean[] learn = new boolean[ids.length];
    Arrays.fill(learn, true);
    return new Tokens(ids, learn, oddities(text));
  }

  private Tokens conversation(Formats.Conversation conversation) throws FormatException {
    ChatTemplate template =
        tokenizer
            .chatTemplate()
            .orElseThrow(
                () ->
                    new UserException(
                        "The data are conversations, but the base model has no chat template. Set"
                            + " chat_template: chatml (or another, or a file), use an instruct"
                            + " model, or data with prompt and completion, or text."));
    Turns turns = Turns.of(template, conversation, trainOn.equals("all"));
    Tokenizer.Encoded encoded = tokenizer.encode(turns.text(), false);
    boolean[] learn = new boolean[encoded.ids().length];
    List<String> oddities = new ArrayList<>(brokenCharacters(turns.text()));
    for (String lost : turns.lost()) {
      oddities.add("the chat template leaves out " + lost);
    }
    for (Span span : turns.learnt()) {
      if (!label(encoded, turns.text(), span, learn)) {
        oddities.add(
            "no end-of-turn token follows the answers, so the model does not learn to stop");
      }
    }
    return new Tokens(encoded.ids(), learn, oddities);
  }

  /** Labels a part of the text; returns whether it ends as a turn does. */
  private boolean label(Tokenizer.Encoded encoded, String text, Span span, boolean[] learn) {
    int last = -1;
    int next = 0;
    for (; next < learn.length && encoded.from()[next] < span.to(); next++) {
      if (encoded.to()[next] > span.from()) {
        learn[next] = true;
        last = isBlank(text, encoded, next) ? last : next;
      }
    }
    if (last >= 0 && tokenizer.isAdded(encoded.ids()[last])) {
      return true;
    }
    // Some templates have one end of turn for all, behind the last message, or none but the header
    // of the next.
    while (next < learn.length && isBlank(text, encoded, next)) {
      next++;
    }
    if (next < learn.length && tokenizer.stop().contains(encoded.ids()[next])) {
      learn[next] = true;
      return true;
    }
    return false;
  }

  private static boolean isBlank(String text, Tokenizer.Encoded encoded, int i) {
    return text.substring(encoded.from()[i], encoded.to()[i]).isBlank();
  }

  private Tokens completion(Formats.Completion c) {
    // Tokens of the whole, so that the join is what generation will see.
    String whole = c.prompt() + c.completion();
    Tokenizer.Encoded encoded = tokenizer.encode(whole, true);
    int[] ids = withEos(encoded.ids());
    boolean[] learn = new boolean[ids.length];
    for (int i = 0; i < ids.length; i++) {
      learn[i] =
          trainOn.equals("all")
              || i >= encoded.ids().length
              || encoded.to()[i] > c.prompt().length();
    }
    return new Tokens(ids, learn, oddities(whole));
  }

  /** What is odd about raw text. */
  private List<String> oddities(String text) {
    List<String> oddities = new ArrayList<>(brokenCharacters(text));
    if (tokenizer.eos().isEmpty()) {
      oddities.add("the tokenizer names no end-of-text token, so texts end without one");
    }
    return oddities;
  }

  private static List<String> brokenCharacters(String text) {
    return Tokenizer.isWellFormed(text)
        ? List.of()
        : List.of("half of a character (an unpaired surrogate) is read as U+FFFD");
  }

  private int[] withEos(int[] ids) {
    if (tokenizer.eos().isEmpty()
        || (ids.length > 0 && ids[ids.length - 1] == tokenizer.eos().getAsInt())) {
      return ids;
    }
    int[] longer = Arrays.copyOf(ids, ids.length + 1);
    longer[ids.length] = tokenizer.eos().getAsInt();
    return longer;
  }

  /**
   * Each example begins with the last token of the one before, so that every token is learnt once.
   */
  private List<Example> split(Tokens tokens, Source source) {
    List<Example> examples = new ArrayList<>();
    for (int from = 0; from < tokens.ids().length - 1; from += maxLength - 1) {
      examples.add(example(tokens, from, source));
    }
    return examples;
  }

  /** At most the maximum length of tokens, from one of them on. */
  private Example example(Tokens tokens, int from, Source source) {
    int n = Math.min(tokens.ids().length - from, maxLength);
    int[] ids = Arrays.copyOfRange(tokens.ids(), from, from + n);
    int[] labels = new int[n];
    Arrays.fill(labels, -1);
    for (int i = 0; i + 1 < n; i++) {
      if (tokens.learn()[from + i + 1]) {
        labels[i] = ids[i + 1];
      }
    }
    return new Example(ids, labels, source);
  }
}
