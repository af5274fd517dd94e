package org.loranative.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;

/**
 * Models in several parts, as llama.cpp's gguf-split leaves them, and what is missing of models.
 */
class GgufPartsTest {
  private static final int U16 = 2;
  private static final int STRING = 8;

  @TempDir private Path folder;

  private static void string(ByteBuffer out, String s) {
    byte[] bytes = s.getBytes(StandardCharsets.UTF_8);
    out.putLong(bytes.length).put(bytes);
  }

  /** A part with one tensor of two numbers; the first has the metadata too. */
  private Path part(int number, int count, String name) throws IOException {
    ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(0x46554747).putInt(3).putLong(1).putLong(number == 0 ? 3 : 2);
    if (number == 0) {
      string(out, "general.architecture");
      out.putInt(STRING);
      string(out, "llama");
    }
    string(out, "split.no");
    out.putInt(U16).putShort((short) number);
    string(out, "split.count");
    out.putInt(U16).putShort((short) count);
    string(out, "tensor." + number);
    out.putInt(1).putLong(2).putInt(0).putLong(0);
    out.position((out.position() + 31) / 32 * 32);
    out.putFloat(number).putFloat(number + 0.5f);
    byte[] bytes = new byte[out.position()];
    out.get(0, bytes);
    return Files.write(folder.resolve(name), bytes);
  }

  @BeforeEach
  void split() throws IOException {
    for (int i = 0; i < 3; i++) {
      part(i, 3, "model-0000" + (i + 1) + "-of-00003.gguf");
    }
  }

  @Test
  void allPartsAreReadWhicheverIsNamed() {
    for (int named = 1; named <= 3; named++) {
      TensorFile file = Gguf.read(folder.resolve("model-0000" + named + "-of-00003.gguf"));
      assertThat(file.metadata()).containsEntry("general.architecture", "llama");
      assertThat(file.tensors()).containsOnlyKeys("tensor.0", "tensor.1", "tensor.2");
      assertThat(Safetensors.floats(file.tensors().get("tensor.2"))).containsExactly(2, 2.5f);
    }
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    Path first = folder.resolve("model-00001-of-00003.gguf");
    Path second = folder.resolve("model-00002-of-00003.gguf");
    Files.move(second, folder.resolve("second.gguf"));
    assertThatThrownBy(() -> Gguf.read(first))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("model-00002-of-00003.gguf is not beside it");
    assertThatThrownBy(() -> Gguf.read(folder.resolve("second.gguf")))
        .hasMessageContaining("one of 3 parts")
        .hasMessageContaining("keep their names");
    part(2, 3, "model-00002-of-00003.gguf");
    assertThatThrownBy(() -> Gguf.read(first)).hasMessageContaining("is not part 2 of 3");
  }

  @Test
  void pointersOfGitLfsAreNoFiles() throws IOException {
    String pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 269060552\n";
    Path gguf = Files.writeString(folder.resolve("x.gguf"), pointer);
    Path tensors = Files.writeString(folder.resolve("model.safetensors"), pointer);
    assertThatThrownBy(() -> Gguf.read(gguf)).hasMessageContaining("git lfs pull");
    assertThatThrownBy(() -> Safetensors.readFolder(folder, "model"))
        .hasMessageContaining(tensors + " is a pointer of Git LFS");
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"a\":\"model-00002-of-00002.safetensors\"}}");
    assertThatThrownBy(() -> Safetensors.readFolder(folder, "model"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lacks model-00002-of-00002.safetensors");
  }
}
