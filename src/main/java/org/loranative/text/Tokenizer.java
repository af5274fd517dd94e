package org.loranative.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.loranative.UserException;

/** Text to token ids and back: Hugging Face's tokenizers, driven by a {@code tokenizer.json}. */
public final class Tokenizer implements AutoCloseable {
  static {
    // DJL would otherwise look for GPUs, report its use and try the network.
    System.setProperty("RUST_FLAVOR", "cpu");
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }

  /**
   * @param ids token ids
   * @param from index of each token's first char (UTF-16) in the text
   * @param to index after its last char
   */
  public record Encoded(int[] ids, int[] from, int[] to) {
    /** Without the tokens before {@code first}. */
    private Encoded from(int first) {
      return new Encoded(
          Arrays.copyOfRange(ids, first, ids.length),
          Arrays.copyOfRange(from, first, from.length),
          Arrays.copyOfRange(to, first, to.length));
    }
  }

  private final RegexGuard guard;
  private final HuggingFaceTokenizer tokenizer;
  private final Set<Integer> special = new HashSet<>();
  private final Map<String, Integer> added = new HashMap<>();
  private final Set<Integer> atomic;
  private final OptionalInt bos;
  private final OptionalInt eos;
  private final Settings settings;
  private Set<Integer> stop;
  private Optional<ChatTemplate> chatTemplate;

  /** What stands beside {@code tokenizer.json}: names of the special tokens, chat template. */
  record Settings(
      Optional<String> bos, Optional<String> eos, Set<Integer> stop, Optional<String> template) {}

  Tokenizer(String source, JsonNode json, Settings settings) {
    this.settings = settings;
    guard = new RegexGuard(source, json);
    try {
      tokenizer =
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json.toString().getBytes(StandardCharsets.UTF_8)),
              Map.of("truncation", "DO_NOT_TRUNCATE", "padding", "DO_NOT_PAD"));
    } catch (IOException | RuntimeException e) {
      throw new UserException(
          "The tokenizer of " + source + " cannot be used: " + e.getMessage(), e);
    }
    for (JsonNode token : json.path("added_tokens")) {
      added.put(token.path("content").asText(), token.path("id").asInt());
      if (token.path("special").asBoolean()) {
        special.add(token.path("id").asInt());
      }
    }
    atomic = Set.copyOf(added.values());
    bos = id(settings.bos());
    eos = id(settings.eos());
    chatTemplate =
        settings.template().map(t -> new ChatTemplate(source, t, settings.bos(), settings.eos()));
    stop = stop(settings.stop());
  }

  private Set<Integer> stop(Set<Integer> named) {
    Set<Integer> all = new HashSet<>(named);
    eos.ifPresent(all::add);
    String end = chatTemplate.map(ChatTemplate::turnEnd).orElse("");
    int[] ids = end.isEmpty() ? new int[0] : encode(end, false).ids();
    if (ids.length > 0 && atomic.contains(ids[0])) {
      all.add(ids[0]);
    }
    return Set.copyOf(all);
  }

  private OptionalInt id(Optional<String> token) {
    if (token.isEmpty()) {
      return OptionalInt.empty();
    }
    Integer known = added.get(token.get());
    if (known != null) {
      return OptionalInt.of(known);
    }
    int[] ids = encode(token.get(), false).ids();
    return ids.length == 1 ? OptionalInt.of(ids[0]) : OptionalInt.empty();
  }

  /**
   * @param addSpecial add what the tokenizer itself puts around a text (usually bos); false for
   *     rendered chat templates, which write it themselves
   */
  public Encoded encode(String text, boolean addSpecial) {
    Encoded encoded = encodeAsIs(wellFormed(text), addSpecial);
    int[] ids = encoded.ids();
    // A text that was rendered before brings its own.
    boolean twice =
        addSpecial && ids.length > 1 && bos.equals(OptionalInt.of(ids[0])) && ids[1] == ids[0];
    return twice ? encoded.from(1) : encoded;
  }

  /** Half of a surrogate pair is no character; it becomes U+FFFD, which is as long. */
  private static String wellFormed(String text) {
    StringBuilder whole = new StringBuilder(text);
    for (int i = 0; i < whole.length(); i++) {
      if (Character.isHighSurrogate(whole.charAt(i))
          && i + 1 < whole.length()
          && Character.isLowSurrogate(whole.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(whole.charAt(i))) {
        whole.setCharAt(i, '\uFFFD');
      }
    }
    return whole.toString();
  }

  /** Whether {@code text} holds whole characters only. */
  public static boolean isWellFormed(String text) {
    return wellFormed(text).equals(text);
  }

  private Encoded encodeAsIs(String text, boolean addSpecial) {
    guard.check(text);
    Encoding encoding = tokenizer.encode(text, addSpecial, false);
    long[] wide = encoding.getIds();
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] utf16 = codePointStarts(text);
    int[] ids = new int[wide.length];
    int[] from = new int[wide.length];
    int[] to = new int[wide.length];
    for (int i = 0; i < wide.length; i++) {
      ids[i] = (int) wide[i];
      if (spans[i] != null) {
        from[i] = utf16[spans[i].getStart()];
        to[i] = utf16[spans[i].getEnd()];
      }
    }
    return new Encoded(ids, from, to);
  }

  /** Index in chars of each code point, and of the end: the tokenizer counts code points. */
  private static int[] codePointStarts(String text) {
    int[] starts = new int[text.codePointCount(0, text.length()) + 1];
    int at = 0;
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      starts[at++] = i;
    }
    starts[at] = text.length();
    return starts;
  }

  /** Text of {@code ids}, special tokens left out. */
  public String decode(int[] ids) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    return tokenizer.decode(wide, true);
  }

  /** A token's own text, special ones too. */
  public String text(int id) {
    return tokenizer.decode(new long[] {id}, false);
  }

  /** Whether {@code id} is a control token such as {@code <|im_end|>}. */
  public boolean isSpecial(int id) {
    return special.contains(id);
  }

  /** Whether {@code id} stands for a text as a whole, whatever is around it. */
  public boolean isAdded(int id) {
    return atomic.contains(id) || stop.contains(id);
  }

  public OptionalInt bos() {
    return bos;
  }

  public OptionalInt eos() {
    return eos;
  }

  /** Tokens that end an answer: of the end of text, and what the template ends a turn with. */
  public Set<Integer> stop() {
    return stop;
  }

  /** Fixes the day that the chat template may print. */
  public void setDate(LocalDateTime date) {
    chatTemplate = chatTemplate.map(t -> t.at(date));
  }

  /**
   * Takes another chat template than its own.
   *
   * @param source for messages
   */
  public void setChatTemplate(String source, String jinja) {
    chatTemplate = Optional.of(new ChatTemplate(source, jinja, settings.bos(), settings.eos()));
    stop = stop(settings.stop());
  }

  /** Whether it has another chat template than its own, or its own with variables set. */
  boolean hasOtherTemplate() {
    return chatTemplate.isPresent()
        && !chatTemplate.map(ChatTemplate::standalone).equals(settings.template());
  }

  /** Sets variables of the chat template. */
  public void setTemplateVariables(Map<String, Object> variables) {
    chatTemplate = chatTemplate.map(t -> t.with(variables));
  }

  public Optional<ChatTemplate> chatTemplate() {
    return chatTemplate;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
