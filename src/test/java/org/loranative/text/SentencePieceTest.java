package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** A model that sentencepiece trained, by make_spiece_golden.py. */
@ExtendWith(Seeded.class)
class SentencePieceTest {
  private static final Path FOLDER = Golden.FOLDER.resolve("spiece");

  @TempDir Path folder;

  @Test
  void cutsTextsAsSentencepieceDoes() {
    try (Tokenizer tokenizer = Tokenizers.fromFolder(FOLDER)) {
      JsonNode rows = JsonFile.read(FOLDER.resolve("ids.json"));
      assertThat(rows).hasSize(7);
      for (JsonNode row : rows) {
        int[] expected =
            StreamSupport.stream(row.path("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        String text = row.path("text").asText();
        assertThat(tokenizer.encode(text, false).ids()).as(text).isEqualTo(expected);
      }
    }
    assertThat(Tokenizers.isUnigram(FOLDER)).isTrue();
  }

  @Test
  void otherFilesAreRefused() throws Exception {
    Path file = folder.resolve(SentencePiece.FILE);
    Files.writeString(file, "not a model");
    assertThatThrownBy(() -> Tokenizers.fromFolder(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file.toString());
  }

  /** Bytes changed or cut off: a tokenizer or a sentence, nothing else. */
  @Test
  void brokenFilesAreRefused(Random random) throws Exception {
    byte[] whole = Files.readAllBytes(FOLDER.resolve(SentencePiece.FILE));
    Path file = folder.resolve(SentencePiece.FILE);
    for (int i = 0; i < 200; i++) {
      byte[] broken = java.util.Arrays.copyOf(whole, 1 + random.nextInt(4000));
      for (int k = 0; k < 1 + random.nextInt(8); k++) {
        broken[random.nextInt(broken.length)] = (byte) random.nextInt();
      }
      Files.write(file, broken);
      Throwable thrown = catchThrowable(() -> SentencePiece.json(file));
      if (thrown != null) {
        assertThat(thrown).as("file %d", i).isInstanceOf(UserException.class);
      }
    }
  }
}
