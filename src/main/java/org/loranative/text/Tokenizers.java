package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.io.LfsPointer;
import org.loranative.io.TensorFile;

/** Opens tokenizers. */
public final class Tokenizers {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String FILE = "tokenizer.json";
  private static final String CONFIG = "tokenizer_config.json";

  private Tokenizers() {}

  /** The tokenizer of a Hugging Face folder. */
  public static Tokenizer fromFolder(Path folder) {
    return fromFolder(folder, NewTokens.NONE);
  }

  /** Likewise with tokens that it does not have yet. */
  public static Tokenizer fromFolder(Path folder, NewTokens more) {
    JsonNode config = readIfThere(folder.resolve(CONFIG));
    Described described = described(folder, config);
    Set<Integer> stop = new LinkedHashSet<>();
    for (String name : new String[] {"generation_config.json", "config.json"}) {
      JsonNode eos = readIfThere(folder.resolve(name)).path("eos_token_id");
      if (eos.isInt()) {
        stop.add(eos.asInt());
      }
      eos.forEach(e -> stop.add(e.asInt()));
    }
    return new Tokenizer(
        folder.toString(),
        more.into(folder.toString(), described.json()),
        new Tokenizer.Settings(
            described.bos(),
            described
                .eos()
                .or(() -> stop.stream().findFirst().flatMap(id -> token(described.json(), id))),
            stop,
            template(folder, config.path("chat_template"))));
  }

  /** The id behind all tokens of a folder. */
  public static int firstFree(Path folder) {
    return NewTokens.firstFree(json(folder));
  }

  /** Likewise of a GGUF file. */
  public static int firstFree(Path file, TensorFile gguf) {
    return NewTokens.firstFree(new GgufTokenizer(file, gguf.metadata()).json());
  }

  /** Whether an adapter's folder has a tokenizer. */
  public static boolean isBeside(Path adapter) {
    return Files.exists(adapter.resolve(FILE));
  }

  /** What the tokenizer beside an adapter, if there is one, has added to a folder's. */
  public static NewTokens added(Path adapter, Path folder) {
    return isBeside(adapter)
        ? NewTokens.of(json(folder), JsonFile.read(adapter.resolve(FILE)))
        : NewTokens.NONE;
  }

  /** Likewise to a GGUF file's. */
  public static NewTokens added(Path adapter, Path file, TensorFile gguf) {
    return isBeside(adapter)
        ? NewTokens.of(
            new GgufTokenizer(file, gguf.metadata()).json(), JsonFile.read(adapter.resolve(FILE)))
        : NewTokens.NONE;
  }

  /** The {@code tokenizer.json} of a folder, or what stands for it. */
  static JsonNode json(Path folder) {
    return described(folder, readIfThere(folder.resolve(CONFIG))).json();
  }

  private record Described(JsonNode json, Optional<String> bos, Optional<String> eos) {}

  private static Described described(Path folder, JsonNode config) {
    JsonNode map = readIfThere(folder.resolve("special_tokens_map.json"));
    Optional<String> bos = token(config.path("bos_token")).or(() -> token(map.path("bos_token")));
    Optional<String> eos = token(config.path("eos_token")).or(() -> token(map.path("eos_token")));
    Path file = folder.resolve(FILE);
    Path spiece = folder.resolve(SentencePiece.FILE);
    if (Files.exists(file)) {
      return new Described(JsonFile.read(file), bos, eos);
    }
    if (Files.exists(spiece)) {
      return new Described(SentencePiece.json(spiece), bos, eos);
    }
    if (Files.exists(folder.resolve(Tekken.FILE))) {
      Tekken tekken = new Tekken(folder, config, map);
      bos = bos.or(tekken::bos);
      eos = eos.or(tekken::eos);
      return new Described(tekken.json(bos, eos), bos, eos);
    }
    if (Files.exists(folder.resolve(TokenizerModel.FILE))) {
      TokenizerModel model = new TokenizerModel(folder, config, map);
      bos = bos.or(model::bos);
      eos = eos.or(model::eos);
      return new Described(model.json(bos, eos), bos, eos);
    }
    throw new UserException(
        folder
            + " has no tokenizer.json (nor SentencePiece's tokenizer.model, nor Mistral's"
            + " tekken.json). Save one with transformers"
            + " (AutoTokenizer.from_pretrained(…).save_pretrained(…)).");
  }

  /** Whether a folder holds a tokenizer of the Unigram kind, as T5's is. */
  public static boolean isUnigram(Path folder) {
    Path file = folder.resolve(FILE);
    return Files.exists(file)
        ? JsonFile.read(file).path("model").path("type").asText("").equals("Unigram")
        : Files.exists(folder.resolve(SentencePiece.FILE));
  }

  /** The tokenizer in a GGUF file's metadata. */
  public static Tokenizer fromGguf(Path file, TensorFile gguf) {
    return fromGguf(file, gguf, NewTokens.NONE);
  }

  /** Likewise with tokens that it does not have yet. */
  public static Tokenizer fromGguf(Path file, TensorFile gguf, NewTokens more) {
    GgufTokenizer described = new GgufTokenizer(file, gguf.metadata());
    return new Tokenizer(
        file.toString(), more.into(file.toString(), described.json()), described.settings());
  }

  /** The chat template of a folder, if it holds one. */
  static Optional<String> template(Path folder) {
    return template(folder, readIfThere(folder.resolve(CONFIG)).path("chat_template"));
  }

  private static Optional<String> template(Path folder, JsonNode inConfig) {
    Path jinja = folder.resolve("chat_template.jinja");
    if (Files.exists(jinja)) {
      LfsPointer.refuse(jinja);
      try {
        return Optional.of(Files.readString(jinja));
      } catch (IOException e) {
        throw new UserException(jinja + " cannot be read: " + e.getMessage(), e);
      }
    }
    for (JsonNode named : inConfig.isArray() ? inConfig : JSON.createArrayNode()) {
      if (named.path("name").asText().equals("default")) {
        return Optional.of(named.path("template").asText());
      }
    }
    return inConfig.isTextual() ? Optional.of(inConfig.asText()) : Optional.empty();
  }

  /** A special token is written as its text, or as an object with a content. */
  static Optional<String> token(JsonNode node) {
    JsonNode text = node.isObject() ? node.path("content") : node;
    return text.isTextual() ? Optional.of(text.asText()) : Optional.empty();
  }

  /** The text of a token that is named by its id. */
  private static Optional<String> token(JsonNode json, int id) {
    for (JsonNode added : json.path("added_tokens")) {
      if (added.path("id").asInt(-1) == id) {
        return Optional.of(added.path("content").asText());
      }
    }
    return Optional.empty();
  }

  static JsonNode readIfThere(Path file) {
    return Files.exists(file) ? JsonFile.read(file) : JSON.missingNode();
  }
}
