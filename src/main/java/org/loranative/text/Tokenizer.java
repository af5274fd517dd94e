package org.loranative.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
  public record Encoded(int[] ids, int[] from, int[] to) {}

  private final HuggingFaceTokenizer tokenizer;
  private final Set<Integer> special = new HashSet<>();
  private final Map<String, Integer> added = new HashMap<>();
  private final OptionalInt bos;
  private final OptionalInt eos;
  private final Set<Integer> stop;
  private final Optional<ChatTemplate> chatTemplate;

  /** What stands beside {@code tokenizer.json}: names of the special tokens, chat template. */
  record Settings(
      Optional<String> bos, Optional<String> eos, Set<Integer> stop, Optional<String> template) {}

  Tokenizer(String source, JsonNode json, Settings settings) {
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
    bos = id(settings.bos());
    eos = id(settings.eos());
    stop = new HashSet<>(settings.stop());
    eos.ifPresent(stop::add);
    chatTemplate =
        settings.template().map(t -> new ChatTemplate(source, t, settings.bos(), settings.eos()));
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

  /** Whether {@code id} is a control token such as {@code <|im_end|>}. */
  public boolean isSpecial(int id) {
    return special.contains(id);
  }

  public OptionalInt bos() {
    return bos;
  }

  public OptionalInt eos() {
    return eos;
  }

  /** Tokens that end an answer. */
  public Set<Integer> stop() {
    return Set.copyOf(stop);
  }

  public Optional<ChatTemplate> chatTemplate() {
    return chatTemplate;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
