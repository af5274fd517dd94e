package org.loranative.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.loranative.UserException;
import org.loranative.io.LfsPointer;

/**
 * A SentencePiece model of the Unigram kind ({@code spiece.model} of T5), as the {@code
 * tokenizer.json} that transformers makes of it (its SpmConverter). Field numbers are those of
 * sentencepiece_model.proto.
 */
final class SentencePiece {
  static final String FILE = "spiece.model";
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final int PIECES = 1;
  private static final int TRAINER = 2;
  private static final int NORMALIZER = 3;

  /** Kinds of model (TrainerSpec) and of piece. */
  private static final int UNIGRAM = 1;

  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int USER_DEFINED = 4;

  private static final int MODEL_TYPE = 3;
  private static final int CHARS_MAP = 2;

  private final List<Piece> pieces = new ArrayList<>();
  private int kind = UNIGRAM;
  private byte[] charsMap = {};

  private record Piece(String text, float score, int kind) {}

  private SentencePiece() {}

  /** The tokenizer; tokens around a text are its reader's. */
  static ObjectNode json(Path file) {
    LfsPointer.refuse(file);
    SentencePiece model = new SentencePiece();
    try {
      model.read(CodedInputStream.newInstance(Files.readAllBytes(file)));
    } catch (IOException e) {
      throw new UserException(
          file + " is not a valid SentencePiece model: " + e.getMessage() + ".", e);
    }
    if (model.kind != UNIGRAM || model.pieces.isEmpty()) {
      throw new UserException(
          file
              + " is no SentencePiece model of the Unigram kind, as T5's is; save a tokenizer.json"
              + " with transformers (AutoTokenizer.from_pretrained(…).save_pretrained(…)).");
    }
    return model.json();
  }

  private void read(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int field = WireFormat.getTagFieldNumber(tag);
      if (field < PIECES || field > NORMALIZER) {
        in.skipField(tag);
        continue;
      }
      CodedInputStream inside = CodedInputStream.newInstance(in.readByteArray());
      switch (field) {
        case PIECES -> piece(inside);
        case TRAINER -> trainer(inside);
        default -> normalizer(inside);
      }
    }
  }

  private void piece(CodedInputStream in) throws IOException {
    String text = "";
    float score = 0;
    int is = NORMAL;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 1 -> text = in.readString();
        case 2 -> score = in.readFloat();
        case 3 -> is = in.readEnum();
        default -> in.skipField(tag);
      }
    }
    pieces.add(new Piece(text, score, is));
  }

  private void trainer(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) == MODEL_TYPE) {
        kind = in.readEnum();
      } else {
        in.skipField(tag);
      }
    }
  }

  private void normalizer(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) == CHARS_MAP) {
        charsMap = in.readByteArray();
      } else {
        in.skipField(tag);
      }
    }
  }

  private ObjectNode json() {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode added = root.putArray("added_tokens");
    ObjectNode model = root.putObject("model");
    model.put("type", "Unigram");
    ArrayNode vocab = model.putArray("vocab");
    for (int id = 0; id < pieces.size(); id++) {
      Piece piece = pieces.get(id);
      vocab.addArray().add(piece.text()).add(piece.score());
      if (piece.kind() == UNKNOWN) {
        model.put("unk_id", id);
      }
      if (piece.kind() != NORMAL) {
        added
            .addObject()
            .put("id", id)
            .put("content", piece.text())
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", piece.kind() == USER_DEFINED)
            .put("special", piece.kind() != USER_DEFINED);
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
    if (charsMap.length > 0) {
      all.addObject()
          .put("type", "Precompiled")
          .put("precompiled_charsmap", Base64.getEncoder().encodeToString(charsMap));
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
