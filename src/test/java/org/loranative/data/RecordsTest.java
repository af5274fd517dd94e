package org.loranative.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;

/** Files and folders of records as they come from the hub, from pandas, Excel and other systems. */
class RecordsTest {
  private static final Path PARQUET = Path.of("src/test/resources/parquet");

  @TempDir Path folder;

  private void file(String name, String text) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    Files.writeString(folder.resolve(name), text);
  }

  private static List<String> texts(Records records) {
    return records.records().stream().map(r -> r.fields().path("text").asText()).toList();
  }

  private static String record(String text) {
    return "{\"text\": \"" + text + "\"}\n";
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "snappy", "zstd", "lz4"})
  void parquetWithNestedFields(String compression) {
    Records records = Records.read(PARQUET.resolve(compression + ".parquet"));
    assertThat(records.records()).hasSize(5);
    JsonNode row = records.records().get(4).fields();
    assertThat(row.toString())
        .isEqualTo(
            "{\"messages\":[{\"role\":\"user\",\"content\":\"what is 4? 🐙\"},"
                + "{\"role\":\"assistant\",\"content\":\"it is 4\"}],"
                + "\"source\":\"made\",\"score\":2.0,\"tags\":[\"a\"]}");
    assertThat(records.records().get(1).fields().has("source")).as("null is absent").isFalse();
    assertThat(records.records().get(4).source().toString())
        .endsWith(compression + ".parquet row 5");
  }

  @Test
  void parquetThatCannotBeReadIsNamed() throws IOException {
    assertThatThrownBy(() -> Records.read(PARQUET.resolve("gzip.parquet")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("gzip.parquet is compressed with GZIP")
        .hasMessageContaining("snappy or zstd");
    byte[] whole = Files.readAllBytes(PARQUET.resolve("zstd.parquet"));
    for (int length : new int[] {0, 3, 100, whole.length / 2, whole.length - 3}) {
      Files.write(folder.resolve("half.parquet"), java.util.Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Records.read(folder.resolve("half.parquet")))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("half.parquet");
    }
  }

  @Test
  void aFolderAsTheHubHasIt() throws IOException {
    file("README.md", "# a dataset");
    file("LICENSE.txt", "You may.");
    file("dataset_info.json", "{\"splits\": []}");
    file(".gitattributes", "");
    file(".cache/huggingface/old.jsonl", record("old"));
    file("notes.txt", "not a record");
    file("data/train-00000-of-00002.jsonl", record("one"));
    file("data/train-00001-of-00002.jsonl", record("two"));
    file("data/test-00000-of-00001.jsonl", record("secret"));
    file("dev/latest.jsonl", record("held out"));
    file("more/contest.json", record("three") + record("four"));
    Records records = Records.read(folder);
    assertThat(texts(records)).containsExactly("one", "two", "three", "four");
    assertThat(String.join("\n", records.leftOut()))
        .contains("LICENSE.txt", "dataset_info.json", "README.md", "notes.txt")
        .contains("data/test-00000-of-00001.jsonl, dev/latest.jsonl (not for training, by name")
        .doesNotContain("old");
    assertThat(texts(Records.read(folder.resolve("dev")))).containsExactly("held out");
    Files.createDirectories(folder.resolve("empty"));
    assertThatThrownBy(() -> Records.read(folder.resolve("empty")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("empty holds no data");
  }

  @Test
  void aFolderOfTexts() throws IOException {
    file("a.txt", "one\n\ntwo");
    file("b/test.txt", "three");
    assertThat(texts(Records.read(folder))).containsExactly("one", "two");
    assertThat(texts(Records.read(folder.resolve("b")))).containsExactly("three");
  }

  @Test
  void linksAreFollowedAndLoopsAreNot() throws IOException {
    file("elsewhere/a.jsonl", record("one"));
    Files.createDirectories(folder.resolve("data/sub"));
    Files.createSymbolicLink(folder.resolve("data/linked"), folder.resolve("elsewhere"));
    Files.createSymbolicLink(folder.resolve("data/b.jsonl"), folder.resolve("elsewhere/a.jsonl"));
    Files.createSymbolicLink(folder.resolve("data/sub/up"), folder.resolve("data"));
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("data"));
    assertThat(texts(Records.read(folder.resolve("link")))).containsExactly("one", "one");
    Files.createSymbolicLink(folder.resolve("data/gone.jsonl"), folder.resolve("none"));
    assertThatThrownBy(() -> Records.read(folder.resolve("data")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("gone.jsonl is a link to a file that is not there");
  }

  @Test
  void marksOfByteOrderSayTheEncoding() throws IOException {
    String csv = "\"text\",\"n\"\r\n\"grün, 猫\",\"1\"\r\n";
    for (Charset charset :
        List.of(StandardCharsets.UTF_8, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
      Files.write(folder.resolve("a.csv"), ("\uFEFF" + csv).getBytes(charset));
      assertThat(texts(Records.read(folder.resolve("a.csv")))).containsExactly("grün, 猫");
      Files.write(folder.resolve("a.jsonl"), ("\uFEFF" + record("grün")).getBytes(charset));
      assertThat(texts(Records.read(folder.resolve("a.jsonl")))).containsExactly("grün");
      Files.write(folder.resolve("a.json"), ("\uFEFF" + record("grün")).getBytes(charset));
      assertThat(texts(Records.read(folder.resolve("a.json")))).containsExactly("grün");
      Files.write(folder.resolve("a.txt"), "\uFEFFgrün".getBytes(charset));
      assertThat(texts(Records.read(folder.resolve("a.txt")))).containsExactly("grün");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.csv", "a.jsonl", "a.json", "a.txt"})
  void otherEncodingsAreNamedWithWhatToDo(String name) throws IOException {
    String text = "一只小猫坐在窗台上看着外面的雨，天空很暗。".repeat(5);
    String content =
        name.endsWith("csv")
            ? "text,n\n" + text + ",1\n"
            : name.endsWith("txt") ? text : record(text);
    Files.write(folder.resolve(name), content.getBytes(Charset.forName("GB18030")));
    assertThatThrownBy(() -> Records.read(folder.resolve(name)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(name + " is not UTF-8 text; it looks like GB18030")
        .hasMessageContaining("iconv -f GB18030 -t UTF-8");
  }

  @Test
  void csvErrorsAreInWords() throws IOException {
    for (String csv : List.of("text,n\n\"never ends,1\n", "text,\n\"x\"y,1\n")) {
      file("bad.csv", csv);
      assertThatThrownBy(() -> Records.read(folder.resolve("bad.csv")))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("bad.csv is not valid CSV: ")
          .satisfies(e -> assertThat(e.getMessage()).doesNotContain("Exception", "java", "null"));
    }
  }
}
