package org.loranative.model.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.Adapters;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.StoredRows;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;
import org.loranative.testing.StoredBase;
import org.loranative.testing.TensorFiles;

/** Floats of 8 bits with scales, against transformers' own dequantization. */
@ExtendWith(Seeded.class)
class Float8Test {
  private static final Path FOLDER = Golden.FOLDER.resolve("fp8");
  private static final Path MATRICES = FOLDER.resolve("matrices.safetensors");

  @TempDir Path temp;

  private static Weights matrices() {
    return new Weights("fp8", Safetensors.read(MATRICES).tensors(), n -> n);
  }

  /** Blocks of 128 x 128 whose last ones are cut off, scales in bf16, fewer rows than a block. */
  @ParameterizedTest
  @ValueSource(strings = {"ragged", "brain", "low", "row", "whole"})
  void readsMatrices(String name) {
    assertThat(StoredBase.numbers(matrices(), name + ".weight"))
        .isEqualTo(new Golden(MATRICES).floats(name + ".numbers"));
  }

  /** What merging reads: some rows from anywhere. */
  @Test
  void readsRows(Random random) {
    Weights weights = matrices();
    float[] expected = new Golden(MATRICES).floats("ragged.numbers");
    TensorEntry entry = weights.entry("ragged.weight");
    int columns = (int) entry.columns();
    try (StoredRows rows = weights.rows()) {
      for (int i = 0; i < 20; i++) {
        int first = random.nextInt((int) entry.rows());
        int count = 1 + random.nextInt((int) entry.rows() - first);
        float[] x = new float[count * columns];
        rows.read(entry, first, count, x);
        assertThat(x)
            .isEqualTo(
                java.util.Arrays.copyOfRange(expected, first * columns, (first + count) * columns));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"cpu, NONE, F32, 1e-5", "cuda-emu, KEEP, BF16, 3e-2", "cpu, NF4, F32, 0.4"})
  void readsModels(String deviceName, Quantize quantize, DType compute, double tolerance) {
    Golden golden = new Golden(FOLDER.resolve("golden.safetensors"));
    LlmBase base = LlmBase.open(FOLDER.resolve("base"));
    base.quantize(quantize);
    int[] ids = golden.ints("ids");
    Graph g = LlmGraph.logits(base, Adapters.none(), compute, ids.length, ids.length);
    assertThat(g.named().get("model.layers.0.self_attn.o_proj.weight").dtype())
        .isEqualTo(quantize == Quantize.NF4 ? DType.NF4 : compute);
    float[] logits = StoredBase.logits(deviceName, base, g, ids);
    assertThat(Errors.relative(logits, golden.floats("logits"))).isLessThan(tolerance);
  }

  @Test
  void scalesThatDoNotFitAreNamed() throws IOException {
    Path base = TensorFiles.copy(FOLDER.resolve("base"), temp.resolve("base"));
    String config = Files.readString(base.resolve("config.json"));
    Files.writeString(
        base.resolve("config.json"),
        config.replaceAll("\"weight_block_size\": \\[[^]]*]", "\"weight_block_size\": [64, 64]"));
    assertThatThrownBy(() -> LlmBase.open(base))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("its scale model.layers.0")
        .hasMessageContaining("nor one a block of 64 x 64");
    Files.writeString(
        base.resolve("config.json"),
        config.replaceAll("\"weight_block_size\": \\[[^]]*]", "\"weight_block_size\": 128"));
    assertThatThrownBy(() -> LlmBase.open(base)).hasMessageContaining("such as [128, 128]");
  }

  @Test
  void matricesWithoutScalesAreNamed() throws IOException {
    Path base = TensorFiles.copy(FOLDER.resolve("base"), temp.resolve("base"));
    Path file = base.resolve("model.safetensors");
    TensorFiles.like(file, n -> n.endsWith("k_proj.weight_scale_inv") ? "" : n).write(file);
    assertThatThrownBy(() -> LlmBase.open(base))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("k_proj.weight has no scale beside it");
  }

  /** Of 8 bits of another kind, such as MXFP8's exponents. */
  @Test
  void otherScalesAreNamed() throws IOException {
    Path file = temp.resolve("model.safetensors");
    Safetensors.Tensor weight =
        new Safetensors.Tensor(
            "x.weight", DType.F8_E4M3, List.of(2L, 2L), ByteBuffer.wrap(new byte[] {9, 8, 7, 6}));
    Safetensors.Tensor scale =
        new Safetensors.Tensor(
            "x.weight_scale", DType.U8, List.of(2L, 1L), ByteBuffer.wrap(new byte[] {120, 121}));
    Safetensors.write(file, List.of(weight, scale), Map.of());
    assertThatThrownBy(() -> new Weights("x", Safetensors.read(file).tensors(), n -> n))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("x.weight_scale is U8 [2, 1]");
  }
}
