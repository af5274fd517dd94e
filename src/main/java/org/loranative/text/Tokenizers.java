package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.io.TensorFile;

/** Opens tokenizers. */
public final class Tokenizers {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Tokenizers() {}

  /** The tokenizer of a Hugging Face folder. */
  public static Tokenizer fromFolder(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    if (!Files.exists(file)) {
      throw new UserException(
          folder
              + " has no tokenizer.json. Save one with transformers"
              + " (AutoTokenizer.from_pretrained(…).save_pretrained(…)).");
    }
    JsonNode config = readIfThere(folder.resolve("tokenizer_config.json"));
    Set<Integer> stop = new HashSet<>();
    for (String name : new String[] {"generation_config.json", "config.json"}) {
      JsonNode eos = readIfThere(folder.resolve(name)).path("eos_token_id");
      if (eos.isInt()) {
        stop.add(eos.asInt());
      }
      eos.forEach(e -> stop.add(e.asInt()));
    }
    return new Tokenizer(
        folder.toString(),
        read(file),
        new Tokenizer.Settings(
            token(config.path("bos_token")),
            token(config.path("eos_token")),
            stop,
            template(folder, config.path("chat_template"))));
  }

  /** The tokenizer in a GGUF file's metadata. */
  public static Tokenizer fromGguf(Path file, TensorFile gguf) {
    return new GgufTokenizer(file, gguf.metadata()).build();
  }

  private static Optional<String> template(Path folder, JsonNode inConfig) {
    Path jinja = folder.resolve("chat_template.jinja");
    if (Files.exists(jinja)) {
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
  private static Optional<String> token(JsonNode node) {
    JsonNode text = node.isObject() ? node.path("content") : node;
    return text.isTextual() ? Optional.of(text.asText()) : Optional.empty();
  }

  private static JsonNode readIfThere(Path file) {
    return Files.exists(file) ? read(file) : JSON.missingNode();
  }

  private static JsonNode read(Path file) {
    try {
      return JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new UserException(file + " is not JSON: " + e.getMessage(), e);
    }
  }
}
