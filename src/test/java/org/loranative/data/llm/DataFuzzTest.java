package org.loranative.data.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.data.Records;
import org.loranative.testing.Seeded;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;

/** Damaged data and tokenizer files end in a sentence, or in records skipped by name. */
@ExtendWith(Seeded.class)
class DataFuzzTest {
  private static final Path TOKENIZER = Path.of("src/test/resources/tokenizers/smollm");

  @TempDir Path folder;

  private static byte[] damaged(byte[] whole, Random r) {
    byte[] bytes = whole.clone();
    for (int i = 0; i <= r.nextInt(5); i++) {
      bytes[r.nextInt(bytes.length)] =
          r.nextBoolean() ? (byte) r.nextInt(256) : (byte) "{}[]\",:\\\n".charAt(r.nextInt(9));
    }
    return java.util.Arrays.copyOf(
        bytes, r.nextInt(5) == 0 ? 1 + r.nextInt(bytes.length) : bytes.length);
  }

  @Test
  void damagedDataFiles(Random r) throws IOException {
    String jsonl =
        "{\"prompt\":\"a\",\"completion\":\"b\"}\n"
            + "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},"
            + "{\"role\":\"assistant\",\"content\":\"y\"}]}\n"
            + "{\"conversations\":[{\"from\":\"human\",\"value\":\"x\"}]}\n{\"text\":\"öä\"}\n";
    String json = "[" + jsonl.strip().replace("\n", ",") + "]";
    String csv = "prompt,completion\n\"a,\"\"b\",c\nd,e\n";
    int usable = 0;
    try (Tokenizer tokenizer = Tokenizers.fromFolder(TOKENIZER)) {
      ExampleEncoder encoder = new ExampleEncoder(tokenizer, "auto", "all", 50);
      for (int i = 0; i < 1500; i++) {
        String name = new String[] {"f.jsonl", "f.json", "f.csv", "f.txt"}[i % 4];
        String content = name.endsWith("csv") ? csv : name.endsWith("json") ? json : jsonl;
        Path file = folder.resolve(name);
        Files.write(file, damaged(content.getBytes(StandardCharsets.UTF_8), r));
        try {
          ExampleEncoder.Result result = encoder.encode(Records.read(file));
          usable += result.examples().size();
          result.skipped().forEach(s -> assertThat(s.reason()).isNotBlank());
        } catch (UserException e) {
          // Conversations without a template, or a file beyond reading: both named.
          assertThat(e.getMessage()).isNotBlank();
        }
      }
    }
    assertThat(usable).isGreaterThan(100);
  }

  @Test
  void damagedTokenizerFiles(Random r) throws IOException {
    byte[] whole = Files.readAllBytes(TOKENIZER.resolve("tokenizer.json"));
    for (int i = 0; i < 150; i++) {
      Files.write(folder.resolve("tokenizer.json"), damaged(whole, r));
      try (Tokenizer tokenizer = Tokenizers.fromFolder(folder)) {
        tokenizer.encode("some text 12", false);
      } catch (UserException e) {
        assertThat(e.getMessage()).contains("tokenizer");
      }
    }
  }
}
