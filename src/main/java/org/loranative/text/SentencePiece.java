package org.loranative.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Base64;

/**
 * A SentencePiece model of the Unigram kind ({@code spiece.model} of T5), as the {@code
 * tokenizer.json} that transformers makes of it (its SpmConverter).
 */
final class SentencePiece {
  static final String FILE = "spiece.model";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SentencePieceModel model;

  private SentencePiece(SentencePieceModel model) {
    this.model = model;
  }

  /** The tokenizer; tokens around a text are its reader's. */
  static ObjectNode json(Path file) {
    SentencePieceModel model = SentencePieceModel.read(file);
    if (model.kind != SentencePieceModel.UNIGRAM) {
      throw model.refusal("is no SentencePiece model of the Unigram kind, as T5's is");
    }
    return new SentencePiece(model).json();
  }

  private ObjectNode json() {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode added = root.putArray("added_tokens");
    ObjectNode unigram = root.putObject("model");
    unigram.put("type", "Unigram");
    ArrayNode vocab = unigram.putArray("vocab");
    for (int id = 0; id < model.pieces.size(); id++) {
      SentencePieceModel.Piece piece = model.pieces.get(id);
      vocab.addArray().add(piece.text()).add(piece.score());
      if (piece.kind() == SentencePieceModel.UNKNOWN) {
        unigram.put("unk_id", id);
      }
      if (piece.kind() != SentencePieceModel.NORMAL) {
        boolean own = piece.kind() == SentencePieceModel.USER_DEFINED;
        added
            .addObject()
            .put("id", id)
            .put("content", piece.text())
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", own)
            .put("special", !own);
      }
    }
    normalizers(root.putObject("normalizer"));
    metaspace(root.putObject("pre_tokenizer"));
    metaspace(root.putObject("decoder"));
    return root;
  }

  private void normalizers(ObjectNode node) {
    node.put("type", "Sequence");
    ArrayNode all = node.putArray("normalizers");
    if (model.charsMap.length > 0) {
      all.addObject()
          .put("type", "Precompiled")
          .put("precompiled_charsmap", Base64.getEncoder().encodeToString(model.charsMap));
    }
    all.addObject().put("type", "Strip").put("strip_left", false).put("strip_right", true);
    ObjectNode spaces = all.addObject().put("type", "Replace");
    spaces.putObject("pattern").put("Regex", " {2,}");
    spaces.put("content", "▁");
  }

  private static void metaspace(ObjectNode node) {
    node.put("type", "Metaspace")
        .put("replacement", "▁")
        .put("prepend_scheme", "always")
        .put("split", true);
  }
}
