package org.loranative.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
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

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  @Test
  void packedByGzip() throws IOException {
    String list = "[" + record("two").strip() + "]";
    Files.write(folder.resolve("a.jsonl.gz"), gzip("\uFEFF" + record("one")));
    Files.write(folder.resolve("b.json.gz"), gzip(list));
    Files.write(folder.resolve("c.CSV.GZ"), gzip("text\nthree\n"));
    Files.write(folder.resolve("d.test.txt.gz"), gzip("held out"));
    assertThat(texts(Records.read(folder))).containsExactly("one", "two", "three");
    assertThat(texts(Records.read(folder.resolve("d.test.txt.gz")))).containsExactly("held out");
    byte[] whole = gzip(record("one").repeat(5000));
    Files.write(folder.resolve("a.jsonl.gz"), java.util.Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> Records.read(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a.jsonl.gz cannot be read: it ends too early");
    Files.writeString(folder.resolve("a.jsonl.gz"), record("one"));
    assertThatThrownBy(() -> Records.read(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a.jsonl.gz cannot be read: Not in GZIP format");
  }

  /** As datasets' save_to_disk lays them out. */
  @Test
  void arrowIsNamedWithWhatToDo() throws IOException {
    file("train/data-00000-of-00001.arrow", "ARROW1");
    file("train/state.json", "{}");
    for (Path path : List.of(folder, folder.resolve("train/data-00000-of-00001.arrow"))) {
      assertThatThrownBy(() -> Records.read(path))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("Arrow")
          .hasMessageContaining("data-00000-of-00001.arrow').to_parquet(");
    }
    file("a.jsonl", record("one"));
    assertThat(String.join("\n", Records.read(folder).leftOut()))
        .contains("train/data-00000-of-00001.arrow (Arrow is not read");
    file("b.xlsx", "PK");
    assertThatThrownBy(() -> Records.read(folder.resolve("b.xlsx")))
        .hasMessageContaining(".jsonl, .json, .csv and .txt (also with .gz) and .parquet can be");
  }

  /** Of two fields of a name, none is taken in silence. */
  @Test
  void fieldsThatAreNamedTwice() throws IOException {
    file("a.csv", "text,n, text\nfirst,1,last\n");
    assertThatThrownBy(() -> Records.read(folder.resolve("a.csv")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a.csv has two columns \"text\"");
    file("unnamed.csv", "text,,\nfirst,,\n");
    assertThat(texts(Records.read(folder.resolve("unnamed.csv")))).containsExactly("first");
    file("pandas.csv", ",text\n0,first\n1,second\n");
    assertThat(Records.read(folder.resolve("pandas.csv")).records().get(1).fields().toString())
        .isEqualTo("{\"text\":\"second\"}");
    file("a.jsonl", record("whole") + "{\"text\": \"first\", \"text\": \"last\"}\n");
    Records records = Records.read(folder.resolve("a.jsonl"));
    assertThat(texts(records)).containsExactly("whole");
    assertThat(records.skipped().toString()).contains("a.jsonl line 2").contains("text");
    file("a.json", "[{\"text\": \"first\", \"text\": \"last\"}]");
    assertThatThrownBy(() -> Records.read(folder.resolve("a.json")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a.json line 1")
        .hasMessageContaining("Duplicate field 'text'");
  }

  @Test
  void pointersOfLfsAreNamed() throws IOException {
    file("train.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 21\n");
    assertThatThrownBy(() -> Records.read(folder)).hasMessageContaining("pointer of Git LFS");
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

  @Test
  void fieldsPartedByOtherThanCommasAreNamed() throws IOException {
    file("excel.csv", "prompt;completion\na;b\n");
    file("tabs.csv", "prompt\tcompletion\na\tb\n");
    assertThatThrownBy(() -> Records.read(folder.resolve("excel.csv")))
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith(
            "excel.csv parts its fields by semicolons, but commas are expected; save it as CSV with"
                + " commas.");
    assertThatThrownBy(() -> Records.read(folder.resolve("tabs.csv")))
        .hasMessageContaining("by tabs");
    file("short.csv", "prompt,completion\na\n");
    assertThat(Records.read(folder.resolve("short.csv")).skipped().get(0))
        .hasToString(folder.resolve("short.csv") + " line 2: 1 field, but the header names 2");
  }

  @Test
  void whatLibrariesSayIsInWords() throws IOException {
    file("cut.jsonl", "{\"text\": \"a\"\n");
    assertThat(Records.read(folder.resolve("cut.jsonl")).skipped().get(0).toString())
        .endsWith("not valid JSON: Unexpected end-of-input: expected close marker for Object");
    file("cut.parquet", "PAR1");
    assertThatThrownBy(() -> Records.read(folder.resolve("cut.parquet")))
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith("cut.parquet is no Parquet file that can be read: it is damaged.");
  }
}
