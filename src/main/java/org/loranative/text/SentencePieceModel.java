package org.loranative.text;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.io.LfsPointer;

/** What a file of SentencePiece holds. Field numbers are those of sentencepiece_model.proto. */
final class SentencePieceModel {
  /** Kinds of model (TrainerSpec.ModelType). */
  static final int UNIGRAM = 1;

  static final int BPE = 2;

  /** Kinds of piece (SentencePiece.Type). */
  static final int NORMAL = 1;

  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;

  private static final int PIECES = 1;
  private static final int TRAINER = 2;
  private static final int NORMALIZER = 3;

  /** How a line of tiktoken's ranks begins, which Llama 3's file of the same name holds. */
  private static final String RANKS = "(?s)[A-Za-z0-9+/]+=* \\d+\r?\n.*";

  /**
   * @param score of a Unigram: the logarithm of its probability; of BPE: the higher the earlier
   *     merged
   * @param kind {@link #NORMAL} or another
   */
  record Piece(String text, float score, int kind) {}

  final Path file;
  final List<Piece> pieces = new ArrayList<>();
  int kind = UNIGRAM;
  boolean byteFallback;

  /** Table of characters to replace, as Hugging Face's Precompiled takes it; may be empty. */
  byte[] charsMap = {};

  boolean dummyPrefix = true;
  boolean removesSpaces = true;
  boolean escapesSpaces = true;
  private boolean spaceBehind;
  private int bos = 1;
  private int eos = 2;

  private SentencePieceModel(Path file) {
    this.file = file;
  }

  static SentencePieceModel read(Path file) {
    LfsPointer.refuse(file);
    SentencePieceModel model = new SentencePieceModel(file);
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + UserException.reason(e) + ".", e);
    }
    String start = new String(bytes, 0, Math.min(bytes.length, 200), StandardCharsets.US_ASCII);
    if (start.matches(RANKS)) {
      throw model.refusal("holds ranks of tiktoken, not a SentencePiece model");
    }
    try {
      model.read(CodedInputStream.newInstance(bytes));
    } catch (IOException e) {
      throw model.refusal("is not a valid SentencePiece model (" + e.getMessage() + ")");
    }
    model.check();
    return model;
  }

  UserException refusal(String why) {
    return new UserException(
        file
            + " "
            + why
            + "; download it again, or save a tokenizer.json with transformers"
            + " (AutoTokenizer.from_pretrained(…).save_pretrained(…)).");
  }

  private void check() {
    if (pieces.isEmpty()) {
      throw refusal("is no SentencePiece model: it holds no pieces");
    }
    if (spaceBehind) {
      throw refusal("writes spaces behind words, which is not supported");
    }
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < pieces.size(); id++) {
      Piece piece = pieces.get(id);
      Integer before = ids.putIfAbsent(piece.text(), id);
      if (before != null || piece.text().isEmpty() || !Float.isFinite(piece.score())) {
        throw refusal(
            "is damaged: piece "
                + id
                + (before != null
                    ? " is the same as piece " + before
                    : piece.text().isEmpty() ? " is empty" : " has no finite score"));
      }
    }
  }

  /** The token before a text, where the model names one. */
  Optional<String> bos() {
    return control(bos);
  }

  /** The token that ends a text. */
  Optional<String> eos() {
    return control(eos);
  }

  private Optional<String> control(int id) {
    return id >= 0 && id < pieces.size() && pieces.get(id).kind() == CONTROL
        ? Optional.of(pieces.get(id).text())
        : Optional.empty();
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
        case 1 -> text = in.readStringRequireUtf8();
        case 2 -> score = in.readFloat();
        case 3 -> is = in.readEnum();
        default -> in.skipField(tag);
      }
    }
    pieces.add(new Piece(text, score, is));
  }

  private void trainer(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 3 -> kind = in.readEnum();
        case 24 -> spaceBehind = in.readBool();
        case 35 -> byteFallback = in.readBool();
        case 41 -> bos = in.readInt32();
        case 42 -> eos = in.readInt32();
        default -> in.skipField(tag);
      }
    }
  }

  private void normalizer(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case 2 -> charsMap = in.readByteArray();
        case 3 -> dummyPrefix = in.readBool();
        case 4 -> removesSpaces = in.readBool();
        case 5 -> escapesSpaces = in.readBool();
        default -> in.skipField(tag);
      }
    }
  }
}
