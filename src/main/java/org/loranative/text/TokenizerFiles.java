package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.loranative.io.AtomicFiles;
import org.loranative.io.JsonFile;
import org.loranative.io.TensorFile;

/**
 * What stands beside an adapter so that other tools write prompts and stop as in training: the
 * base's tokenizer and chat template, and in {@code generation_config.json} every token that ends
 * an answer.
 */
public final class TokenizerFiles {
  private static final String GENERATION = "generation_config.json";
  private static final String TOKENIZER = "tokenizer.json";
  private static final String CONFIG = "tokenizer_config.json";
  private static final String TEMPLATE = "chat_template.jinja";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Names under which transformers looks for a tokenizer's parts. */
  private static final List<String> NAMES =
      List.of(
          TOKENIZER,
          CONFIG,
          "special_tokens_map.json",
          "added_tokens.json",
          TEMPLATE,
          "tokenizer.model",
          "tekken.json",
          "vocab.json",
          "merges.txt");

  private TokenizerFiles() {}

  /**
   * Copies those of a Hugging Face folder.
   *
   * @param more tokens that its own has not, and {@code tokenizer} has
   */
  public static void copy(Path base, NewTokens more, Tokenizer tokenizer, Path to)
      throws IOException {
    for (String name : NAMES) {
      Path file = base.resolve(name);
      if (Files.isRegularFile(file)) {
        AtomicFiles.write(to.resolve(name), out -> Files.copy(file, out));
      }
    }
    if (!more.isEmpty()) {
      write(more.into(base.toString(), Tokenizers.json(base)), to);
    }
    JsonNode generation = Tokenizers.readIfThere(base.resolve(GENERATION));
    writeTemplate(tokenizer, to);
    writeGeneration(
        generation instanceof ObjectNode object ? object : JSON.createObjectNode(), tokenizer, to);
  }

  /** In the one place where every tool reads tokens of all kinds. */
  private static void write(JsonNode json, Path to) throws IOException {
    JsonFile.write(to.resolve(TOKENIZER), json);
    JsonNode config = Tokenizers.readIfThere(to.resolve(CONFIG));
    if (config.path("added_tokens_decoder") instanceof ObjectNode named) {
      for (JsonNode token : json.path("added_tokens")) {
        if (!named.has(token.path("id").asText())) {
          ObjectNode described = token.deepCopy();
          described.remove("id");
          named.set(token.path("id").asText(), described);
        }
      }
      JsonFile.write(to.resolve(CONFIG), config);
    }
  }

  /** Writes what a GGUF file's metadata describes. */
  public static void fromGguf(
      Path base, TensorFile gguf, NewTokens more, Tokenizer tokenizer, Path to) throws IOException {
    GgufTokenizer described = new GgufTokenizer(base, gguf.metadata());
    JsonFile.write(to.resolve(TOKENIZER), more.into(base.toString(), described.json()));
    ObjectNode config = JSON.createObjectNode();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    Tokenizer.Settings settings = described.settings();
    settings.bos().ifPresent(t -> config.put("bos_token", t));
    settings.eos().ifPresent(t -> config.put("eos_token", t));
    settings.template().ifPresent(t -> config.put("chat_template", t));
    JsonFile.write(to.resolve(CONFIG), config);
    writeTemplate(tokenizer, to);
    writeGeneration(JSON.createObjectNode(), tokenizer, to);
  }

  /**
   * A template that was chosen instead of the base's, or has variables set, where transformers
   * looks for it first.
   */
  private static void writeTemplate(Tokenizer tokenizer, Path to) throws IOException {
    if (!tokenizer.hasOtherTemplate()) {
      return;
    }
    AtomicFiles.writeString(
        to.resolve(TEMPLATE), tokenizer.chatTemplate().orElseThrow().standalone());
    if (Tokenizers.readIfThere(to.resolve(CONFIG)) instanceof ObjectNode config
        && config.remove("chat_template") != null) {
      JsonFile.write(to.resolve(CONFIG), config);
    }
  }

  private static void writeGeneration(ObjectNode config, Tokenizer tokenizer, Path to)
      throws IOException {
    tokenizer.bos().ifPresent(id -> config.put("bos_token_id", id));
    ArrayNode stop = config.putArray("eos_token_id");
    new TreeSet<>(tokenizer.stop()).forEach(stop::add);
    JsonFile.write(to.resolve(GENERATION), config);
  }
}
