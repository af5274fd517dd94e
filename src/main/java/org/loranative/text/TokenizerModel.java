package org.loranative.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.loranative.text.SentencePieceModel.Piece;

/**
 * A {@code tokenizer.model} of SentencePiece without a {@code tokenizer.json} (Llama 2, Mistral,
 * Gemma), written as one that gives SentencePiece's own ids: transformers'
 * SpmConverter.build_tokenizer_from_spm_proto. Special tokens stand for themselves in a text, which
 * SentencePiece alone would cut up.
 */
final class TokenizerModel {
  static final String FILE = "tokenizer.model";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SPACE = "▁";

  private final SentencePieceModel model;
  private final JsonNode config;
  private final AddedTokens added;

  /**
   * @param folder with the file
   * @param config tokenizer_config.json
   * @param map special_tokens_map.json
   */
  TokenizerModel(Path folder, JsonNode config, JsonNode map) {
    this.model = SentencePieceModel.read(folder.resolve(FILE));
    this.config = config;
    if (model.kind != SentencePieceModel.BPE && model.kind != SentencePieceModel.UNIGRAM) {
      throw model.refusal("is a SentencePiece model of words or characters; BPE and Unigram do");
    }
    this.added = new AddedTokens(model.file, model.pieces.stream().map(Piece::text).toList());
    for (int id = 0; id < model.pieces.size(); id++) {
      Piece piece = model.pieces.get(id);
      switch (piece.kind()) {
        case SentencePieceModel.UNKNOWN, SentencePieceModel.CONTROL -> added.add(id, true);
        case SentencePieceModel.USER_DEFINED -> {
          // Where nothing is put before a text, it makes no difference to cut the text here.
          if (!model.dummyPrefix && !piece.text().contains(SPACE)) {
            added.add(id, false);
          }
        }
        default -> {}
      }
    }
    added.readBeside(folder, config, map);
    if (model.dummyPrefix) {
      added.matchRaw();
    }
  }

  Optional<String> bos() {
    return model.bos();
  }

  Optional<String> eos() {
    return model.eos();
  }

  /**
   * The {@code tokenizer.json}.
   *
   * @param bos put before a text unless {@code add_bos_token} is false
   * @param eos put behind it if {@code add_eos_token} is true
   */
  ObjectNode json(Optional<String> bos, Optional<String> eos) {
    ObjectNode root = JSON.createObjectNode();
    root.put("version", "1.0");
    root.putArray("added_tokens").addAll(added.all().values());
    normalizers(root.putObject("normalizer").put("type", "Sequence").putArray("normalizers"));
    preTokenizer(root);
    decoders(root.putObject("decoder").put("type", "Sequence").putArray("decoders"));
    if (model.kind == SentencePieceModel.BPE) {
      bpe(root.putObject("model"));
    } else {
      unigram(root.putObject("model"));
    }
    AroundText.write(
        root,
        bos.filter(t -> config.path("add_bos_token").asBoolean(true)),
        eos.filter(t -> config.path("add_eos_token").asBoolean(false)));
    return root;
  }

  private void normalizers(ArrayNode all) {
    if (model.charsMap.length > 0) {
      all.addObject()
          .put("type", "Precompiled")
          .put("precompiled_charsmap", Base64.getEncoder().encodeToString(model.charsMap));
    }
    if (model.removesSpaces) {
      replace(all, "Regex", "\\A +| +\\z", "");
      replace(all, "Regex", " {2,}", " ");
    }
    if (model.escapesSpaces) {
      replace(all, "String", " ", SPACE);
    }
    if (model.dummyPrefix && legacy()) {
      all.addObject().put("type", "Prepend").put("prepend", SPACE);
    }
  }

  /** Whether a space is put before each text between special tokens, not before the first alone. */
  private boolean legacy() {
    return config.path("legacy").asBoolean(true);
  }

  private static void replace(ArrayNode steps, String kind, String pattern, String by) {
    ObjectNode step = steps.addObject().put("type", "Replace");
    step.putObject("pattern").put(kind, pattern);
    step.put("content", by);
  }

  private void preTokenizer(ObjectNode root) {
    ObjectNode node = root.putObject("pre_tokenizer").put("type", "Sequence");
    ArrayNode steps = node.putArray("pretokenizers");
    if (model.dummyPrefix && !legacy()) {
      steps
          .addObject()
          .put("type", "Metaspace")
          .put("replacement", SPACE)
          .put("prepend_scheme", "first")
          .put("split", false);
    }
    List<String> whole = userDefined();
    if (!whole.isEmpty()) {
      ObjectNode split = steps.addObject().put("type", "Split");
      split.putObject("pattern").put("Regex", AnyOf.regex(whole));
      split.put("behavior", "Isolated").put("invert", false);
    }
  }

  private List<String> userDefined() {
    return IntStream.range(0, model.pieces.size())
        .filter(id -> model.pieces.get(id).kind() == SentencePieceModel.USER_DEFINED)
        .mapToObj(added.vocabulary()::get)
        .toList();
  }

  private void decoders(ArrayNode all) {
    replace(all, "String", SPACE, " ");
    if (model.byteFallback) {
      all.addObject().put("type", "ByteFallback");
    }
    all.addObject().put("type", "Fuse");
    if (model.dummyPrefix) {
      all.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
  }

  private void bpe(ObjectNode node) {
    node.put("type", "BPE");
    unknown().ifPresent(id -> node.put("unk_token", added.vocabulary().get(id)));
    node.put("fuse_unk", true).put("byte_fallback", model.byteFallback);
    node.put("ignore_merges", !userDefined().isEmpty());
    ObjectNode vocab = node.putObject("vocab");
    for (int id = 0; id < model.pieces.size(); id++) {
      vocab.put(added.vocabulary().get(id), id);
    }
    // Here too, since else the library numbers those behind the vocabulary by their order.
    added.all().forEach((id, token) -> vocab.put(token.path("content").asText(), id));
    merges(node.putArray("merges"));
  }

  /**
   * SentencePiece joins the neighbours whose union has the best score: every way to cut a normal
   * piece in two of them, best score first.
   */
  private void merges(ArrayNode merges) {
    Map<String, Integer> normal = new HashMap<>();
    for (int id = 0; id < model.pieces.size(); id++) {
      if (model.pieces.get(id).kind() == SentencePieceModel.NORMAL) {
        normal.put(added.vocabulary().get(id), id);
      }
    }
    normal.values().stream()
        .sorted(
            Comparator.<Integer>comparingDouble(id -> -model.pieces.get(id).score())
                .thenComparingInt(id -> id))
        .map(added.vocabulary()::get)
        .forEach(
            piece -> {
              for (int at = 1; at < piece.length(); at++) {
                String left = piece.substring(0, at);
                String right = piece.substring(at);
                if (normal.containsKey(left) && normal.containsKey(right)) {
                  merges.addArray().add(left).add(right);
                }
              }
            });
  }

  private void unigram(ObjectNode node) {
    node.put("type", "Unigram");
    unknown().ifPresent(id -> node.put("unk_id", id));
    node.put("byte_fallback", model.byteFallback);
    ArrayNode vocab = node.putArray("vocab");
    for (int id = 0; id < model.pieces.size(); id++) {
      vocab.addArray().add(added.vocabulary().get(id)).add(model.pieces.get(id).score());
    }
    int expected = model.pieces.size();
    for (int id : added.all().tailMap(expected).keySet()) {
      if (id != expected++) {
        throw model.refusal("has " + (expected - 1) + " tokens, but none before token " + id);
      }
    }
  }

  private Optional<Integer> unknown() {
    return IntStream.range(0, model.pieces.size())
        .filter(id -> model.pieces.get(id).kind() == SentencePieceModel.UNKNOWN)
        .boxed()
        .findFirst();
  }
}
