package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.Gguf;
import org.loranative.io.GgufWriter;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Quantize;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;

/** GGUF files of models whose recurrent layers have their heads in another order than folders. */
class HybridMergeTest extends Predicting {
  @TempDir private Path folder;

  /**
   * Value heads of recurrent layers stand otherwise in a GGUF, and so do columns of one matrix: its
   * blocks of 32 move as they are, of blocks of 256 the numbers do.
   */
  @ParameterizedTest
  @CsvSource({
    "qwen3-5-turns, Q8_0, Q8_0",
    "qwen3-5-turns, Q5_0, Q5_0",
    "qwen3-5-turns, Q4_K, F32",
    "qwen3-next-turns, Q8_0, Q8_0",
    "qwen3-next-turns, Q6_K, Q6_K"
  })
  void headsInAnotherOrderStayInBlocks(String model, DType type, DType held) throws Exception {
    Path gguf = Golden.FOLDER.resolve(model).resolve("base.gguf");
    Path blocks = folder.resolve("blocks.gguf");
    requantize(gguf, blocks, type);
    LlmBase numbers = LlmBase.open(blocks);
    float[] expected = logits(numbers, List.of());
    assertThat(Errors.relative(expected, logits(gguf))).isBetween(1e-4, 0.5);
    LlmBase kept = LlmBase.open(blocks);
    kept.quantize(Quantize.KEEP);
    String out = "model.layers.0.linear_attn.out_proj.weight";
    assertThat(kept.weights().matrixType(out, DType.F32)).isEqualTo(held);
    assertThat(Errors.relative(logits(kept, List.of()), expected)).isLessThan(1e-5);
    numbers.quantize(Quantize.NF4);
    assertThat(Errors.relative(logits(numbers, List.of()), expected)).isBetween(1e-3, 1.5);
  }

  /** What llama.cpp's convert_lora_to_gguf.py makes of the same adapter, number by number. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen3-5-turns", "qwen3-5-moe-turns", "qwen2-moe"})
  void adaptersAreInLlamaCppsOrder(String model) throws Exception {
    Path golden = Golden.FOLDER.resolve(model);
    Map<String, TensorEntry> theirs = Gguf.read(golden.resolve("adapter.gguf")).tensors();
    for (String from : List.of("base", "base.gguf")) {
      LlmBase base = LlmBase.open(golden.resolve(from));
      Map<String, AdaptedLayer> layers = LanguageAdapters.read(golden.resolve("adapter"), base);
      Path file = folder.resolve("of-" + from + ".gguf");
      GgufAdapter.write(base, layers, file);
      Map<String, TensorEntry> ours = Gguf.read(file).tensors();
      assertThat(ours.keySet()).isEqualTo(theirs.keySet());
      ours.forEach(
          (name, entry) ->
              assertThat(Safetensors.floats(entry))
                  .as(name)
                  .isEqualTo(Safetensors.floats(theirs.get(name))));
      Map<String, AdaptedLayer> read = LanguageAdapters.read(golden.resolve("adapter.gguf"), base);
      layers.forEach(
          (path, layer) -> {
            AdaptedLayer.LowRank was = layer.lowRank().orElseThrow();
            assertThat(read.get(path).lowRank().orElseThrow().a()).isEqualTo(was.a());
            assertThat(read.get(path).lowRank().orElseThrow().b()).isEqualTo(was.b());
          });
    }
  }

  /** One projection of a folder that is two of a GGUF, or one as in files of 2025. */
  @Test
  void aSplitProjectionsAdapter() throws Exception {
    Path golden = Golden.FOLDER.resolve("qwen3-next-turns");
    LlmBase base = LlmBase.open(golden.resolve("base.gguf"));
    Map<String, AdaptedLayer> layers = LanguageAdapters.read(golden.resolve("adapter"), base);
    Path file = folder.resolve("adapter.gguf");
    GgufAdapter.write(base, layers, file);
    assertThat(Gguf.read(file).tensors()).containsKey("blk.0.attn_gate.weight.lora_b");
    float[] expected = both(base, golden.resolve("adapter"), 1);
    assertThat(Errors.relative(both(base, file, 1), expected)).isZero();
    assertThat(Errors.relative(both(LlmBase.open(golden.resolve("base")), file, 1), expected))
        .isLessThan(1e-5);
    LlmBase together = LlmBase.open(together(base, golden.resolve("base.gguf")));
    assertThat(Errors.relative(both(together, golden.resolve("adapter"), 1), expected))
        .isLessThan(1e-5);
    Path other = folder.resolve("other.gguf");
    GgufAdapter.write(together, layers, other);
    assertThat(Gguf.read(other).tensors()).containsKey("blk.0.ssm_in.weight.lora_b");
    assertThat(Errors.relative(both(together, other, 1), expected)).isLessThan(1e-5);
    assertThatThrownBy(() -> LanguageAdapters.read(other, base))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("belongs to no layer");
  }

  /** A GGUF whose projections of recurrent layers are one, as the folder has them. */
  private Path together(LlmBase base, Path gguf) throws Exception {
    Path file = folder.resolve("together.gguf");
    LlmBase inFolder = LlmBase.open(Golden.FOLDER.resolve("qwen3-next-turns/base"));
    List<TensorStream> tensors = new ArrayList<>();
    try (MergedTensors same = new MergedTensors(base.weights(), Map.of())) {
      for (TensorEntry e : base.file().tensors().values()) {
        if (e.name().endsWith("attn_qkv.weight")) {
          String layer = e.name().substring("blk.".length(), e.name().lastIndexOf(".attn_qkv"));
          TensorEntry whole =
              inFolder
                  .weights()
                  .entry("model.layers." + layer + ".linear_attn.in_proj_qkvz.weight");
          tensors.add(
              TensorStream.f32(
                  "blk." + layer + ".ssm_in.weight", whole.shape(), Safetensors.floats(whole)));
        } else if (!e.name().endsWith("attn_gate.weight")) {
          tensors.add(same.stream(e, e.name(), Optional.of(DType.F32), Form.SAME));
        }
      }
      GgufWriter.write(file, Gguf.metadata(gguf), tensors);
    }
    return file;
  }
}
