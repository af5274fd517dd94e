package org.loranative.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** Model files: what is written is read back; hostile files end in a sentence. */
@ExtendWith(Seeded.class)
class ModelFileTest {
  @TempDir Path folder;

  @Test
  void safetensorsRoundTrip() throws IOException {
    ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 6; i++) {
      data.putFloat(i * 4, i * 1.5f);
    }
    Path file = folder.resolve("a.safetensors");
    Safetensors.write(
        file,
        List.of(new Safetensors.Tensor("w \"x\"", DType.F32, List.of(2L, 3L), data)),
        Map.of("format", "pt"));
    TensorFile read = Safetensors.read(file);
    assertThat(read.metadata()).containsEntry("format", "pt");
    TensorEntry entry = read.tensors().get("w \"x\"");
    assertThat(entry.shape()).containsExactly(2L, 3L);
    assertThat(entry.offset() % 8).isZero();
    assertThat(Safetensors.data(entry).getFloat(20)).isEqualTo(7.5f);
    assertThat(Files.list(folder)).as("no temporary file stays").hasSize(1);
  }

  private Path headed(String header) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer all = ByteBuffer.allocate(8 + json.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(json.length).put(json);
    Path file = folder.resolve("h.safetensors");
    Files.write(file, all.array());
    return file;
  }

  private void refused(String header, String why) throws IOException {
    Path file = headed(header);
    assertThatThrownBy(() -> Safetensors.read(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(why);
  }

  @Test
  void hostileSafetensorsHeaders() throws IOException {
    String t = "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":";
    refused("{\"a\":" + t + "[0,999]}}", "outside the file");
    refused("{\"a\":" + t + "[8,0]}}", "outside the file");
    refused("{\"a\":" + t + "[0,4]}}", "needs 8 bytes");
    refused("{\"a\":" + t + "[0,8]},\"b\":" + t + "[4,12]}}", "overlap");
    refused(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}",
        "larger than any file");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "dimension -2");
    refused("{\"a\":{\"dtype\":\"Q9\",\"shape\":[2],\"data_offsets\":[0,8]}}", "unknown dtype");
    refused("{\"a\":{\"shape\":[2]}}", "lacks dtype");
    refused("[1,2]", "not a JSON object");
    refused("{\"a\":", "not JSON");
    refused("{\"a\":" + "[".repeat(5000) + "]".repeat(5000) + "}", "not JSON");
    Path huge = folder.resolve("huge.safetensors");
    Files.write(huge, new byte[] {-1, -1, -1, -1, -1, -1, -1, 127, 0});
    assertThatThrownBy(() -> Safetensors.read(huge)).hasMessageContaining("which cannot be");
    Path empty = folder.resolve("empty.safetensors");
    Files.write(empty, new byte[0]);
    assertThatThrownBy(() -> Safetensors.read(empty)).hasMessageContaining("shorter than 8");
  }

  @Test
  void shardsStayInTheirFolder() throws IOException {
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"a\":\"../secret.safetensors\"}}");
    assertThatThrownBy(() -> Safetensors.readFolder(folder, "model"))
        .hasMessageContaining("outside its folder");
  }

  @Test
  void shardedFoldersAreRead() throws IOException {
    for (String name : List.of("one", "two")) {
      Safetensors.write(
          folder.resolve(name + ".safetensors"),
          List.of(new Safetensors.Tensor(name, DType.F32, List.of(1L), ByteBuffer.allocate(4))),
          Map.of());
    }
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"one\":\"one.safetensors\",\"two\":\"two.safetensors\"}}");
    assertThat(Safetensors.readFolder(folder, "model").tensors()).containsOnlyKeys("one", "two");
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"three\":\"one.safetensors\"}}");
    assertThatThrownBy(() -> Safetensors.readFolder(folder, "model"))
        .hasMessageContaining("\"three\" is not in one.safetensors");
  }

  @Test
  void damagedSafetensorsEndInASentence(Random r) throws IOException {
    fuzz(
        r,
        Golden.FOLDER.resolve("qwen2/adapter/adapter_model.safetensors"),
        "f.safetensors",
        Safetensors::read,
        2000);
  }

  @Test
  void damagedGgufEndsInASentence(Random r) throws IOException {
    Path tokenizer = Path.of("src/test/resources/tokenizers/smollm/tokenizer.gguf");
    fuzz(r, tokenizer, "f.gguf", Gguf::read, 1500);
    fuzz(r, Golden.FOLDER.resolve("llama-linear/base.gguf"), "g.gguf", Gguf::read, 500);
  }

  /** Flips bytes (mostly in the header), cuts the end off; any failure must be a UserException. */
  private void fuzz(Random r, Path good, String name, Function<Path, TensorFile> reader, int tries)
      throws IOException {
    byte[] whole = Files.readAllBytes(good);
    Path file = folder.resolve(name);
    int refused = 0;
    for (int i = 0; i < tries; i++) {
      byte[] bytes = whole.clone();
      int flips = 1 + r.nextInt(4);
      int within = r.nextBoolean() ? Math.min(64, bytes.length) : Math.min(4000, bytes.length);
      for (int f = 0; f < flips; f++) {
        bytes[r.nextInt(within)] = (byte) (r.nextInt(3) == 0 ? 0xff : r.nextInt(256));
      }
      int length = r.nextInt(4) == 0 ? r.nextInt(bytes.length) : bytes.length;
      Files.write(file, java.util.Arrays.copyOf(bytes, length));
      try {
        TensorFile read = reader.apply(file);
        for (TensorEntry t : read.tensors().values()) {
          assertThat(t.offset() + t.bytes()).isLessThanOrEqualTo(length);
        }
      } catch (UserException e) {
        refused++;
        assertThat(e.getMessage()).contains(name);
      }
    }
    assertThat(refused).isGreaterThan(tries / 20);
  }

  @Test
  void dtypeCodesEqualTheHeader() throws IOException {
    String header = Files.readString(Path.of("src/main/native/lora_ops.h"));
    for (DType type : DType.values()) {
      assertThat(header).contains("LN_" + type.name() + " = " + type.code);
    }
  }
}
